"""From the rows of a plan to letters that could be sent: no storage is written here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.conf import settings

from muhafiz.constituency.facts import ContactFacts, OrganizationFacts
from muhafiz.detection.attachments import HEADER, Lines, csv_lines, shown_lines
from muhafiz.detection.bundling import MOST_BYTES, Bundle, Frame, Piece, bundled
from muhafiz.detection.letters import File, Letter, Section, language_for, write_letter
from muhafiz.detection.rules import ClassGroup, Group, Policy, group_for_notice
from muhafiz.formats.lines import one_line
from muhafiz.formats.xarf_report import Reporter, xarf_objects
from muhafiz.notifications.messages import Attachment, MessageDraft

SHOWN = 10  # rows of each class in the letter's text
_CHUNK_ROWS = 200_000
_OUTWARD = pa.array(["tell", "refused"])
_LARGE: Final = 20_000  # rows of one organization, from which on they are written piece by piece
_PIECE: Final = 5_000
_XARF_PIECE: Final = 1_000
_XARF_MOST: Final = 20_000  # rows that programs are given: each takes a kilobyte
_CSV: Final = Frame("events.csv", head=HEADER)
_XARF: Final = Frame("events.xarf.json", head=b"[", between=b",\n", tail=b"]")


@dataclass(frozen=True, slots=True)
class House:
    """Who writes: names by language, address, key fingerprint (empty: none), zone.

    `attached_most`: bytes that a packed attachment may have.
    """

    names: dict[str, str]
    address: str
    fingerprint: str
    zone: ZoneInfo
    attached_most: int = MOST_BYTES

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
        self._programs: dict[str, Bundle] = {}

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
            _ = self._files, self._shown

    @cached_property
    def _files(self) -> dict[int, Bundle]:
        """The rows of each notice as a file, by organization."""
        large = {g.organization_id for g in self.groups if g.stop - g.start > _LARGE}
        spans = [(g.start, g.stop) for g in self.groups if g.organization_id not in large]
        lines = csv_lines(_put_together(self.rows, spans))
        begins = dict(zip(spans, accumulate((b - a for a, b in spans), initial=0), strict=False))
        return {
            group.organization_id: bundled(
                self._pieces(group, lines, begins.get((group.start, group.stop))),
                _CSV,
                most=self._room("csv"),
            )
            for group in self.groups
        }

    def _pieces(self, group: Group, lines: Lines, begin: int | None) -> Iterator[Piece]:
        """A notice's rows some at a time; they begin in `lines` at `begin`, when they are there."""
        for start in range(group.start, group.stop, _PIECE):
            count = min(_PIECE, group.stop - start)
            if begin is None:
                yield count, csv_lines(self.rows.slice(start, count)).between(0, count)
            else:
                at = begin + start - group.start
                yield count, lines.between(at, at + count)

    def digest(self, group: Group) -> str:
        """SHA-256 of the notice's CSV file: the facts that are released, and can be verified."""
        return self._files[group.organization_id].digest

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
        slug = "".join(c if c.isalnum() and c.isascii() else "-" for c in issued.number)
        attached = {"csv": self._files[group.organization_id]}
        if self.policy.attach_xarf:
            attached["xarf"] = self._xarf(group, issued.number, now)
        files = tuple(_file(slug, kind, bundle) for kind, bundle in attached.items())
        letter = self._letter(group, organization, language, issued, now=now, files=files)
        subject, text = write_letter(letter, language)
        return MessageDraft(
            recipient_address=contact.address,
            recipient_name=contact.name,
            language=language,
            subject=subject,
            text=text,
            attachments=tuple(
                Attachment(file.name, _media_type(file), bundle.content)
                for file, bundle in zip(files, attached.values(), strict=True)
            ),
            certificate=contact.certificate,
            sender_reference=issued.number,
        )

    def text(self, group: Group, organization: OrganizationFacts | None, language: str) -> str:
        """The letter's text before it has a number."""
        chosen = language_for(language)
        issued = Issued("…", "…")
        bundle = self._files[group.organization_id]
        files = [_file("…", "csv", bundle)]
        if self.policy.attach_xarf:
            rows = min(bundle.rows, _XARF_MOST)
            files.append(File("….xarf.json", "xarf", rows, packed=False))
        letter = self._letter(
            group, organization, chosen, issued, now=self.until, files=tuple(files)
        )
        return write_letter(letter, chosen)[1]

    def _letter(
        self,
        group: Group,
        organization: OrganizationFacts | None,
        language: str,
        issued: Issued,
        *,
        now: datetime,
        files: tuple[File, ...],
    ) -> Letter:
        name = organization.name(language) if organization else str(group.organization_id)
        told_before = self._repeated.slice(group.start, group.stop - group.start)
        return Letter(
            number=issued.number,
            organization=one_line(name),
            cert=one_line(self.house.name(language)),
            tlp=group.tlp,
            date=told_moment(now, self.house.zone),
            until=told_moment(self.until, self.house.zone),
            at_once=self.policy.cadence == "at_once",
            events=group.stop - group.start,
            repeated=told_before.true_count,
            sections=tuple(self._section(part) for part in group.classes),
            files=files,
            digest=self.digest(group),
            verify_code=issued.verify_code,
            verify_url=f"{settings.PUBLIC_URL}/verify/?code={issued.verify_code}",
            fingerprint=self.house.fingerprint,
        )

    def _section(self, part: ClassGroup) -> Section:
        lines, begins = self._shown
        begin = begins[part.start]
        count = part.stop - part.start
        shown = lines.listed(begin, begin + min(count, SHOWN))
        return Section(part.taxonomy, part.type, count, tuple(shown))

    def _xarf(self, group: Group, number: str, now: datetime) -> Bundle:
        """The rows for programs; made once, however many contacts get them."""
        if number not in self._programs:
            self._programs = {number: self._xarf_made(group, number, now)}
        return self._programs[number]

    def _xarf_made(self, group: Group, number: str, now: datetime) -> Bundle:
        reporter = Reporter(organization=self.house.name("en"), contact=self.house.address)
        stop = min(group.stop, group.start + _XARF_MOST)

        def pieces() -> Iterator[Piece]:
            for start in range(group.start, stop, _XARF_PIECE):
                rows = self.rows.slice(start, min(_XARF_PIECE, stop - start)).to_pylist()
                yield len(rows), xarf_objects(rows, number=number, reporter=reporter, now=now)

        return bundled(pieces(), _XARF, most=self._room("xarf"))

    def _room(self, kind: str) -> int:
        """Bytes that a packed attachment of this kind may have beside the other."""
        quarter = self.house.attached_most // 4
        if kind == "xarf":
            return quarter
        return 3 * quarter if self.policy.attach_xarf else self.house.attached_most


_ENDINGS: Final = {"csv": ("csv", "text/csv"), "xarf": ("xarf.json", "application/json")}


def _file(slug: str, kind: str, bundle: Bundle) -> File:
    ending = f"{_ENDINGS[kind][0]}.zip" if bundle.packed else _ENDINGS[kind][0]
    return File(f"{slug}.{ending}", kind, bundle.rows, bundle.packed)


def _media_type(file: File) -> str:
    return "application/zip" if file.packed else _ENDINGS[file.kind][1]


def _put_together(rows: pa.Table, spans: Sequence[tuple[int, int]]) -> pa.Table:
    """The rows of these stretches, one after the other; nothing is copied."""
    if sum(stop - start for start, stop in spans) == rows.num_rows:
        return rows
    parts = [rows.slice(start, stop - start) for start, stop in spans]
    return pa.concat_tables([rows.slice(0, 0), *parts])


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
        owners = whole["organization_id"].to_numpy()
        # The newest organization may go on in the next row group: it waits.
        ready = whole.slice(0, int(np.searchsorted(owners, owners[-1], "left")))
        for chunk in _cut(ready, letters, keep_open=True):
            yield chunk
            after = chunk.upto
        held = [whole.slice(int(np.searchsorted(owners, after, "right")))]
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
    return rows if pc.all(wanted).as_py() else rows.filter(wanted)


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


def told_moment(moment: datetime, zone: ZoneInfo) -> str:
    """A moment as letters write it: by the jurisdiction's clock, with its zone."""
    local = moment.astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M} ({local:%Z}, UTC{local:%z})"


def languages_of(contacts: Sequence[ContactFacts]) -> str:
    """The language a preview is shown in: the first contact's."""
    return contacts[0].language if contacts else "en"
