"""What a CSV file would change: every row checked, nothing written."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime

import pyarrow as pa

from muhafiz.common.refusal import Refusal
from muhafiz.constituency.actions.contacts import ContactDetails, checked_details
from muhafiz.constituency.actions.organizations import check_language
from muhafiz.constituency.actions.trail import known_regions, known_sectors
from muhafiz.constituency.models import Claim, ContactVersion, Handle, Organization
from muhafiz.constituency.rules import (
    BadClaim,
    BadContact,
    BadPeriod,
    NoSuchOrganization,
    UnknownRegion,
    UnknownSector,
    WouldCycle,
    canonical_claim,
    check_name,
    check_period,
    overlap,
)
from muhafiz.constituency.spreadsheet import RECORDS, Problem, SheetRow, read_sheet
from muhafiz.formats.addresses import parse_domains

SOURCE = "csv"
_KINDS = {"network": "address", "domain": "domain", "asn": "asn"}
Values = dict[str, object]


class BadRow(Refusal):
    """A row of a kind that does not exist, or said twice."""

    text = "{reason}."


@dataclass(frozen=True, slots=True)
class DiffLine:
    """What one row adds or changes."""

    line: int
    record: str  # organization, network, domain, asn, contact
    organization: str  # its key in the file
    owner: int | None  # its id; None: this file makes it
    target: int | None  # the id of what is changed; None: it is added
    text: str  # the name, network, domain, ASN or address
    before: Values
    after: Values

    @property
    def changed(self) -> int:
        """The id of what this line changes.

        Raises:
            ValueError: it adds something.
        """
        if self.target is None:
            raise ValueError("This line adds something.")
        return self.target


@dataclass(frozen=True, slots=True)
class Diff:
    """What a file would change."""

    file_name: str
    content: bytes
    digest: str  # SHA-256 of the file
    encoding: str
    rows: int
    lines: tuple[DiffLine, ...]
    unchanged: int
    problems: tuple[Problem, ...]
    ignored_columns: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what would change: two previews that agree in it say the same."""
        told = "\n".join(repr(item) for item in (*self.lines, *self.problems))
        return hashlib.sha256(told.encode("utf-8", "backslashreplace")).hexdigest()

    @property
    def additions(self) -> int:
        """Rows that add something."""
        return sum(line.target is None for line in self.lines)

    @property
    def changes(self) -> int:
        """Rows that change something that is there."""
        return len(self.lines) - self.additions


@dataclass(slots=True)
class _Known:
    """What is there already, by what a row may name."""

    now: datetime
    sectors: frozenset[str]
    regions: frozenset[str]
    owners: dict[str, int | None]  # key → id; None: an organization this file makes
    organizations: dict[int, Organization]
    claims: dict[tuple[int, str, str], list[Claim]]
    contacts: dict[tuple[int, str, str], ContactVersion]
    domains: dict[str, str | None]
    parents: dict[int | str, int | str | None]
    seen: dict[tuple[str, ...], int] = field(default_factory=dict)

    def node(self, key: str) -> int | str:
        """An organization's id, or its key while it has none."""
        found = self.owners.get(key)
        return key if found is None else found


def preview_import(content: bytes, *, file_name: str, now: datetime) -> Diff:
    """Check every row of a CSV file against what is there; writes nothing.

    Bad rows are listed with their line and reason; all others can be imported.

    Raises:
        UnreadableSheet: the file is not in the format of docs/constituency.md.
    """
    sheet = read_sheet(content)
    known = _known(sheet.rows, now)
    problems = list(sheet.problems)
    lines: list[DiffLine] = []
    unchanged = 0
    # Organizations first: other rows may stand above the one that makes their owner.
    for row in sorted(sheet.rows, key=lambda row: row["record"].lower() != "organization"):
        try:
            line = _planned(row, known)
        except Refusal as refusal:
            problems.append(Problem(row.line, refusal.code, str(refusal)))
            continue
        if line is None:
            unchanged += 1
        else:
            lines.append(line)
    return Diff(
        file_name=file_name[:255],
        content=content,
        digest=hashlib.sha256(content).hexdigest(),
        encoding=sheet.encoding,
        rows=len(sheet.rows) + len(sheet.problems),
        lines=tuple(lines),
        unchanged=unchanged,
        problems=tuple(sorted(problems, key=lambda problem: problem.line)),
        ignored_columns=sheet.ignored_columns,
    )


def _known(rows: tuple[SheetRow, ...], now: datetime) -> _Known:
    standing = Organization.objects.filter(retired_at__isnull=True)
    organizations = {row.pk: row for row in standing}
    names: dict[str, list[int]] = defaultdict(list)
    for pk, row in organizations.items():
        names[row.name_en.upper()].append(pk)
    owners: dict[str, int | None] = {key: pks[0] for key, pks in names.items() if len(pks) == 1}
    handles = Handle.objects.filter(source=SOURCE, organization__in=standing)
    owners |= dict(handles.values_list("handle", "organization_id"))
    claims: dict[tuple[int, str, str], list[Claim]] = defaultdict(list)
    for claim in Claim.objects.filter(origin="manual", withdrawn_at__isnull=True).iterator():
        claims[claim.organization_id, claim.kind, claim.text].append(claim)
    versions = ContactVersion.objects.filter(
        superseded_at__isnull=True, contact__withdrawn_at__isnull=True, contact__origin="manual"
    ).select_related("contact")
    contacts = {(v.contact.organization_id, v.role, v.address): v for v in versions}
    values = [row["value"] for row in rows if row["record"].lower() == "domain"]
    spelt = parse_domains(pa.array([v.removeprefix("*.") for v in values], pa.string()))
    domains = dict(zip(values, spelt.to_pylist(), strict=True))
    sectors, regions = known_sectors(now), known_regions(now)
    parents: dict[int | str, int | str | None] = {
        pk: o.parent_id for pk, o in organizations.items()
    }
    return _Known(now, sectors, regions, owners, organizations, claims, contacts, domains, parents)


def _planned(row: SheetRow, known: _Known) -> DiffLine | None:
    record, key = row["record"].lower(), check_name(row["organization"], 128).upper()
    if record not in RECORDS:
        raise BadRow(reason=f"“{row['record']}” is no record; it is one of {', '.join(RECORDS)}")
    planner: Callable[[SheetRow, str, int | None, _Known], DiffLine | None]
    if record == "organization":
        planner = _planned_organization
    elif key not in known.owners:
        raise NoSuchOrganization(organization=row["organization"])
    else:
        planner = _planned_contact if record == "contact" else _planned_claim
    return planner(row, key, known.owners.get(key), known)


def _once(known: _Known, row: SheetRow, *what: str) -> None:
    first = known.seen.setdefault(what, row.line)
    if first != row.line:
        raise BadRow(reason=f"Line {first} says this already")


def _planned_organization(
    row: SheetRow, key: str, owner: int | None, known: _Known
) -> DiffLine | None:
    """An empty cell leaves a value as it is."""
    _once(known, row, "organization", key)
    standing = known.organizations.get(owner) if owner is not None else None
    name = row["name"] or (standing.name_en if standing else row["organization"])
    after = _organization_values(row, check_name(name), known)
    if row["parent"]:
        after["parent"] = _checked_parent(row["parent"].upper(), key, known)
    known.owners.setdefault(key, None)
    if standing is None:
        return DiffLine(row.line, "organization", key, None, None, name, {}, after)
    before: Values = {
        column: standing.parent_id if column == "parent" else getattr(standing, column)
        for column in after
    }
    if before == after:
        return None
    return DiffLine(row.line, "organization", key, owner, owner, name, before, after)


def _organization_values(row: SheetRow, name: str, known: _Known) -> Values:
    values: Values = {"name_en": name}
    if row["name_ur"]:
        values["name_ur"] = check_name(row["name_ur"])
    if row["language"]:
        values["language"] = check_language(row["language"].lower())
    if row["note"]:
        values["note"] = row["note"]
    if row["sector"]:
        if row["sector"] not in known.sectors:
            raise UnknownSector(sector=row["sector"])
        values["sector"] = row["sector"]
    if row["region"]:
        if row["region"] not in known.regions:
            raise UnknownRegion(region=row["region"])
        values["region"] = row["region"]
    return values


def _checked_parent(parent: str, key: str, known: _Known) -> int | str:
    """The parent's id, or its key when this file makes it (further up)."""
    if parent not in known.owners:
        raise NoSuchOrganization(organization=parent)
    node, above = known.node(key), known.node(parent)
    line: list[int | str] = []
    place: int | str | None = above
    while place is not None and place not in line:
        line.append(place)
        place = known.parents.get(place)
    if node in line:
        raise WouldCycle
    known.parents[node] = above
    return above


def _planned_claim(row: SheetRow, key: str, owner: int | None, known: _Known) -> DiffLine | None:
    """Dates stand as they are in the file: an empty cell is an open end."""
    record = row["record"].lower()
    kind, text = _KINDS[record], _claim_text(row, record, known)
    start, end = _day(row["valid_from"]), _day(row["valid_to"])
    check_period(start, end)
    _once(known, row, kind, key, text, str(start))
    after: Values = {"valid_from": start, "valid_to": end, "note": row["note"][:255]}
    standing = known.claims.get((owner, kind, text), []) if owner is not None else []
    touched = [
        claim for claim in standing if overlap((start, end), (claim.valid_from, claim.valid_to))
    ]
    if not touched:
        return DiffLine(row.line, record, key, owner, None, text, {}, after)
    if len(touched) > 1:
        raise BadPeriod(valid_from=start, valid_to=end)
    before: Values = {column: getattr(touched[0], column) for column in after}
    if before == after:
        return None
    return DiffLine(row.line, record, key, owner, touched[0].pk, text, before, after)


def _claim_text(row: SheetRow, record: str, known: _Known) -> str:
    if record != "domain":
        return canonical_claim(_KINDS[record], row["value"])
    name = known.domains[row["value"]]
    if name is None:
        raise BadClaim(value=row["value"], kind="domain", reason="it is not like example.org")
    return name


def _day(cell: str) -> date | None:
    try:
        return date.fromisoformat(cell) if cell else None
    except ValueError:
        raise BadRow(reason=f"“{cell}” is no day; write 2026-11-23") from None


def _planned_contact(row: SheetRow, key: str, owner: int | None, known: _Known) -> DiffLine | None:
    if not row["role"]:
        raise BadContact(reason="it has no role")
    details = ContactDetails(
        address=row["value"],
        role=row["role"],
        name=row["name"],
        language=row["language"].lower(),
        certificate=row["certificate"],
        hours=row["hours"],
        valid_from=_day(row["valid_from"]),
        valid_to=_day(row["valid_to"]),
    )
    after = checked_details(details, known.now)
    role, address = str(after["role"]), str(after["address"])
    _once(known, row, "contact", key, role, address)
    standing = known.contacts.get((owner, role, address)) if owner is not None else None
    if standing is None:
        return DiffLine(row.line, "contact", key, owner, None, address, {}, after)
    before: Values = {column: getattr(standing, column) for column in after}
    if before == after:
        return None
    return DiffLine(row.line, "contact", key, owner, standing.contact_id, address, before, after)
