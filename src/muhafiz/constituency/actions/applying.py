"""Write what a previewed CSV file changes, all of it in one transaction and a few statements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from muhafiz.common.actor import Actor
from muhafiz.common.refusal import Refusal
from muhafiz.common.rows import insert_rows
from muhafiz.constituency.actions.planning import SOURCE, Diff, DiffLine, Values, preview_import
from muhafiz.constituency.actions.trail import JSON, hold_constituency, leave_trail, renew_matching
from muhafiz.constituency.models import (
    Claim,
    Contact,
    ContactVersion,
    Handle,
    Import,
    ImportChange,
    Organization,
    PastSector,
)

_PORTION = 2_000
_KINDS = {"network": "address", "domain": "domain", "asn": "asn"}


class PreviewOutdated(Refusal):
    """The constituency changed between preview and import."""

    text = "The constituency has changed since {file_name} was previewed; preview it again."


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did; `import_id` undoes it."""

    import_id: int
    added: int
    changed: int
    unchanged: int
    problems: int


@transaction.atomic
def apply_import(diff: Diff, *, actor: Actor, now: datetime) -> Imported:
    """Write what `preview_import` showed; its problems stay out.

    Everything comes in as manual. Nothing that the file does not mention is touched.

    Raises:
        PreviewOutdated: the same file would change something else by now.
    """
    hold_constituency()
    fresh = preview_import(diff.content, file_name=diff.file_name, now=now)
    if (fresh.lines, fresh.problems) != (diff.lines, diff.problems):
        raise PreviewOutdated(file_name=diff.file_name)
    counts = {
        "added": diff.additions,
        "changed": diff.changes,
        "unchanged": diff.unchanged,
        "problems": len(diff.problems),
    }
    run = Import.objects.create(
        kind="csv",
        source=SOURCE,
        file_name=diff.file_name,
        digest=diff.digest,
        created_at=now,
        created_by=actor.name[:128],
        counts=counts,
    )
    owners = _Writer(run, actor, now).write(diff.lines)
    renew_matching()
    details: dict[str, JSON] = {"file": diff.file_name, "sha256": diff.digest, **counts}
    leave_trail(owners, "apply_import", f"import:{run.pk}", details, actor=actor, now=now)
    return Imported(run.pk, **counts)


class _Writer:
    """One import being written: organizations first, since the rest belongs to them."""

    def __init__(self, run: Import, actor: Actor, now: datetime) -> None:
        self.run, self.actor, self.now = run, actor, now
        self.made: dict[str, int] = {}
        self.journal: list[ImportChange] = []

    def write(self, lines: Sequence[DiffLine]) -> set[int]:
        """Write all lines and return the organizations touched."""
        organizations = [line for line in lines if line.record == "organization"]
        contacts = [line for line in lines if line.record == "contact"]
        claims = [line for line in lines if line.record in _KINDS]
        self._make_organizations([line for line in organizations if line.target is None])
        self._change_organizations([line for line in organizations if line.target is not None])
        self._make_claims([line for line in claims if line.target is None])
        self._change_claims([line for line in claims if line.target is not None])
        self._make_contacts([line for line in contacts if line.target is None])
        self._change_contacts([line for line in contacts if line.target is not None])
        ImportChange.objects.bulk_create(self.journal, batch_size=_PORTION)
        return {self._owner(line) for line in lines}

    def _owner(self, line: DiffLine) -> int:
        return line.owner if line.owner is not None else self.made[line.organization]

    def _make_organizations(self, lines: Sequence[DiffLine]) -> None:
        rows = [
            Organization(
                created_at=self.now,
                made_by=self.run,
                **{column: value for column, value in line.after.items() if column != "parent"},
            )
            for line in lines
        ]
        Organization.objects.bulk_create(rows, batch_size=_PORTION)
        self.made = {line.organization: row.pk for line, row in zip(lines, rows, strict=True)}
        handles = [
            Handle(organization_id=owner, source=SOURCE, handle=key)
            for key, owner in self.made.items()
        ]
        Handle.objects.bulk_create(handles, batch_size=_PORTION)
        placed = []
        for line, row in zip(lines, rows, strict=True):
            if "parent" in line.after:
                row.parent_id = self._parent(line)
                placed.append(row)
        Organization.objects.bulk_update(placed, ["parent"], batch_size=500)

    def _parent(self, line: DiffLine) -> int:
        parent = line.after["parent"]
        return parent if isinstance(parent, int) else self.made[str(parent)]

    def _change_organizations(self, lines: Sequence[DiffLine]) -> None:
        left: list[PastSector] = []
        for line in lines:
            after = dict(line.after)
            if "parent" in after:
                after["parent_id"] = self._parent(line)
                del after["parent"]
            if after.get("sector", line.before.get("sector")) != line.before.get("sector"):
                left.append(
                    PastSector(
                        organization_id=line.changed,
                        sector=str(line.before["sector"]),
                        valid_to=self.now.date(),
                    )
                )
            Organization.objects.filter(pk=line.changed).update(**after)
            self._note("organization", line, {**line.before}, {**line.after, **_parent_only(after)})
        PastSector.objects.bulk_create(left, ignore_conflicts=True, batch_size=_PORTION)

    def _make_claims(self, lines: Sequence[DiffLine]) -> None:
        rows = [
            Claim(
                organization_id=self._owner(line),
                kind=_KINDS[line.record],
                text=line.text,
                origin="manual",
                source=SOURCE,
                created_at=self.now,
                made_by=self.run,
                **line.after,
            )
            for line in lines
        ]
        insert_rows(rows)

    def _change_claims(self, lines: Sequence[DiffLine]) -> None:
        rows = []
        for line in lines:
            rows.append(Claim(pk=line.target, **line.after))
            self._note("claim", line, line.before, line.after)
        Claim.objects.bulk_update(rows, ["valid_from", "valid_to", "note"], batch_size=500)

    def _make_contacts(self, lines: Sequence[DiffLine]) -> None:
        rows = [
            Contact(
                organization_id=self._owner(line),
                origin="manual",
                source=SOURCE,
                created_at=self.now,
                made_by=self.run,
            )
            for line in lines
        ]
        Contact.objects.bulk_create(rows, batch_size=_PORTION)
        self._write_versions((row.pk, 1, line.after) for row, line in zip(rows, lines, strict=True))

    def _change_contacts(self, lines: Sequence[DiffLine]) -> None:
        versions = supersede([line.changed for line in lines], self.now)
        for line in lines:
            self._note("contact", line, line.before, line.after)
        self._write_versions(
            (line.changed, versions[line.changed] + 1, line.after) for line in lines
        )

    def _write_versions(self, versions: Iterable[tuple[int, int, Values]]) -> None:
        write_versions(versions, by=self.actor.name, now=self.now)

    def _note(self, table: str, line: DiffLine, before: Values, after: Values) -> None:
        self.journal.append(
            ImportChange(
                run=self.run,
                table=table,
                row=line.changed,
                before=plain_values(before),
                after=plain_values(after),
            )
        )


def _parent_only(values: Values) -> Values:
    return {"parent": values["parent_id"]} if "parent_id" in values else {}


def plain_values(values: Values) -> Values:
    """Values as JSON holds them."""
    return {
        column: value.isoformat() if isinstance(value, date) else value
        for column, value in values.items()
    }


def supersede(contact_ids: Sequence[int], now: datetime) -> dict[int, int]:
    """Close the current versions of some contacts; returns their numbers."""
    numbers: dict[int, int] = {}
    for start in range(0, len(contact_ids), _PORTION):
        current = ContactVersion.objects.filter(
            contact_id__in=contact_ids[start : start + _PORTION], superseded_at__isnull=True
        )
        numbers |= dict(current.values_list("contact_id", "version"))
        current.update(superseded_at=now)
    return numbers


def write_versions(versions: Iterable[tuple[int, int, Values]], *, by: str, now: datetime) -> None:
    """Write contact versions: (contact, number, details)."""
    rows = [
        ContactVersion(
            contact_id=contact, version=number, created_at=now, created_by=by[:128], **details
        )
        for contact, number, details in versions
    ]
    insert_rows(rows)
