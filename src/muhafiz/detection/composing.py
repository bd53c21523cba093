"""From the rows of a plan to letters that could be sent: no storage is written here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.conf import settings

from muhafiz.constituency.facts import ContactFacts, OrganizationFacts
from muhafiz.detection.attachments import HEADER, Lines, csv_lines, shown_lines
from muhafiz.detection.letters import Letter, Section, language_for, write_letter
from muhafiz.detection.rules import ClassGroup, Group, Policy, group_for_notice
from muhafiz.formats.xarf_report import Reporter, xarf_document
from muhafiz.notifications.messages import Attachment, MessageDraft

SHOWN = 10  # rows of each class in the letter's text
_CHUNK_ROWS = 200_000
_OUTWARD = pa.array(["tell", "refused"])


@dataclass(frozen=True, slots=True)
class House:
    """Who writes: names by language, address, key fingerprint (empty: none), zone."""

    names: dict[str, str]
    address: str
    fingerprint: str
    zone: ZoneInfo

    def name(self, language: str) -> str:
        """The name in `language`, else in English."""
        return self.names.get(language) or self.names.get("en") or "CERT"


@dataclass(frozen=True, slots=True)
class Issued:
    """What only a released notice has."""

    number: str
    verify_code: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows of some organizations of a plan, all of each; `upto` is the last organization read."""

    rows: pa.Table
    upto: int
    last: bool


class Composition:
    """The notices in some rows of one decision, ready to be written as letters.

    `rows` are sorted as in the plan. Nothing is built before it is asked for.
    """

    def __init__(self, rows: pa.Table, policy: Policy, until: datetime, house: House) -> None:
        self.rows = rows
        self.policy = policy
        self.until = until
        self.house = house
        self.groups: list[Group] = group_for_notice(rows, policy.tlp)

    @cached_property
    def _csv(self) -> Lines:
        return csv_lines(self.rows)

    @cached_property
    def _shown(self) -> tuple[Lines, dict[int, int]]:
        """The lines shown, and where those of the class group that starts at a row begin."""
        places: list[int] = []
        begins: dict[int, int] = {}
        for group in self.groups:
            for part in group.classes:
                begins[part.start] = len(places)
                places.extend(range(part.start, min(part.stop, part.start + SHOWN)))
        return shown_lines(self.rows.take(pa.array(places, pa.int64()))), begins

    @cached_property
    def _repeated(self) -> pa.Array:
        return pc.is_valid(self.rows["first_told"]).combine_chunks()

    def prepare(self) -> None:
        """Build attachments and shown lines now, so that no transaction waits for them."""
        if self.groups:
            _ = self._csv, self._shown, self._digests

    @cached_property
    def _digests(self) -> dict[int, str]:
        return {
            group.organization_id: hashlib.sha256(self.csv_file(group)).hexdigest()
            for group in self.groups
        }

    def csv_file(self, group: Group) -> bytes:
        """The attachment of one notice."""
        return HEADER + self._csv.between(group.start, group.stop)

    def digest(self, group: Group) -> str:
        """SHA-256 of the attachment: the facts that are released, and what can be verified."""
        return self._digests[group.organization_id]

    def draft(
        self,
        group: Group,
        organization: OrganizationFacts | None,
        contact: ContactFacts,
        issued: Issued,
        now: datetime,
    ) -> MessageDraft:
        """The letter of one notice to one contact."""
        language = language_for(contact.language)
        csv_file = self.csv_file(group)
        letter = self._letter(group, organization, language, issued, now)
        subject, text = write_letter(letter, language)
        files = [Attachment(letter.csv_name, "text/csv", csv_file)]
        if letter.xarf_name:
            files.append(self._xarf(group, letter, now))
        return MessageDraft(
            recipient_address=contact.address,
            recipient_name=contact.name,
            language=language,
            subject=subject,
            text=text,
            attachments=tuple(files),
            certificate=contact.certificate,
            sender_reference=issued.number,
        )

    def text(self, group: Group, organization: OrganizationFacts | None, language: str) -> str:
        """The letter's text before it has a number."""
        chosen = language_for(language)
        issued = Issued("…", "…")
        return write_letter(self._letter(group, organization, chosen, issued, self.until), chosen)[
            1
        ]

    def _letter(
        self,
        group: Group,
        organization: OrganizationFacts | None,
        language: str,
        issued: Issued,
        now: datetime,
    ) -> Letter:
        name = organization.name(language) if organization else str(group.organization_id)
        slug = "".join(c if c.isalnum() and c.isascii() else "-" for c in issued.number)
        told_before = self._repeated.slice(group.start, group.stop - group.start)
        return Letter(
            number=issued.number,
            organization=name,
            cert=self.house.name(language),
            tlp=group.tlp,
            date=_moment(now, self.house.zone),
            until=_moment(self.until, self.house.zone),
            at_once=self.policy.cadence == "at_once",
            events=group.stop - group.start,
            repeated=told_before.true_count,
            sections=tuple(self._section(part) for part in group.classes),
            csv_name=f"{slug}.csv",
            xarf_name=f"{slug}.xarf.json" if self.policy.attach_xarf else "",
            digest=self.digest(group),
            verify_code=issued.verify_code,
            verify_url=f"{settings.PUBLIC_URL}/verify/{issued.verify_code}",
            fingerprint=self.house.fingerprint,
        )

    def _section(self, part: ClassGroup) -> Section:
        lines, begins = self._shown
        begin = begins[part.start]
        count = part.stop - part.start
        shown = lines.listed(begin, begin + min(count, SHOWN))
        return Section(part.taxonomy, part.type, count, tuple(shown))

    def _xarf(self, group: Group, letter: Letter, now: datetime) -> Attachment:
        rows = self.rows.slice(group.start, group.stop - group.start).to_pylist()
        reporter = Reporter(organization=self.house.name("en"), contact=self.house.address)
        content = xarf_document(rows, number=letter.number, reporter=reporter, now=now)
        return Attachment(letter.xarf_name, "application/json", content)


def chunks(plan: Path, after: int, letters: int) -> Iterator[Chunk]:
    """The rows to be told or refused, of about `letters` organizations at a time, in order.

    Each organization's rows stand in exactly one chunk; `after` is the last organization that was
    dealt with.
    """
    file = pq.ParquetFile(plan)
    owner = file.schema_arrow.get_field_index("organization_id")
    held: list[pa.Table] = []
    for number in range(file.num_row_groups):
        group = file.metadata.row_group(number)
        if not group.num_rows or group.column(owner).statistics.max <= after:
            continue
        held.append(_outward(file.read_row_group(number), after))
        if not _enough(held, letters):
            continue
        whole = pa.concat_tables(held)
        newest = whole["organization_id"][-1].as_py()
        # The newest organization may go on in the next row group: it waits.
        ready = whole.filter(pc.less(whole["organization_id"], newest))
        for chunk in _cut(ready, letters, keep_open=True):
            yield chunk
            after = chunk.upto
        held = [whole.filter(pc.greater(whole["organization_id"], after))]
    rest = pa.concat_tables(held) if held else file.schema_arrow.empty_table()
    yield from _cut(rest, letters, keep_open=False)


def _enough(held: Sequence[pa.Table], letters: int) -> bool:
    """Whether these rows may make a whole chunk; owners in two tables are counted twice."""
    if sum(rows.num_rows for rows in held) >= _CHUNK_ROWS:
        return True
    owners: int = sum(pc.count_distinct(rows["organization_id"]).as_py() for rows in held)
    return owners > letters


def _outward(rows: pa.Table, after: int) -> pa.Table:
    wanted = pc.and_(
        pc.greater(rows["organization_id"], after), pc.is_in(rows["decision"], _OUTWARD)
    )
    return rows.filter(wanted)


def _cut(rows: pa.Table, letters: int, *, keep_open: bool) -> Iterator[Chunk]:
    """Whole chunks; with `keep_open` a rest that is still small is left for later."""
    counts = rows["organization_id"].value_counts().to_pylist()
    start = stop = number = 0
    for place, entry in enumerate(counts):
        stop += entry["counts"]
        number += 1
        final = place == len(counts) - 1
        full = number >= letters or stop - start >= _CHUNK_ROWS
        if full or (final and not keep_open):
            yield Chunk(rows.slice(start, stop - start), entry["values"], final and not keep_open)
            start, number = stop, 0


def _moment(moment: datetime, zone: ZoneInfo) -> str:
    local = moment.astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M} ({local:%Z}, UTC{local:%z})"


def languages_of(contacts: Sequence[ContactFacts]) -> str:
    """The language a preview is shown in: the first contact's."""
    return contacts[0].language if contacts else "en"
