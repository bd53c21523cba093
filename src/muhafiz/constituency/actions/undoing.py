"""Take an import back: what it made is withdrawn, what it changed is as before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

from django.db import transaction

from muhafiz.common.actor import Actor
from muhafiz.constituency.actions.applying import plain_values, supersede, write_versions
from muhafiz.constituency.actions.organizations import line_of
from muhafiz.constituency.actions.trail import hold_constituency, leave_trail, renew_matching
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
from muhafiz.constituency.rules import NoSuchRecord

_DATES = ("valid_from", "valid_to")


@dataclass(frozen=True, slots=True)
class Undone:
    """What taking an import back did.

    `kept` rows were changed by somebody since the import, or are in use by then: they stay.
    """

    withdrawn: int
    restored: int
    kept: int


@transaction.atomic
def undo_import(import_id: int, *, actor: Actor, now: datetime) -> Undone:
    """Take back a CSV or registry import.

    Claims and contacts that it made are withdrawn (they then never held), organizations retired
    where nothing else has come to belong to them; changed rows get their former values, unless
    somebody changed them again since. Nothing is deleted.

    Raises:
        NoSuchRecord: no such import, or undone already.
    """
    hold_constituency()
    run = Import.objects.filter(pk=import_id, undone_at__isnull=True).first()
    if run is None:
        raise NoSuchRecord(what="import", identifier=import_id)
    touched = _owners(run)
    restored, kept = _restore(run, actor, now)
    made = (
        Claim.objects.filter(made_by=run, withdrawn_at__isnull=True),
        Contact.objects.filter(made_by=run, withdrawn_at__isnull=True),
    )
    withdrawn = made[0].update(withdrawn_at=now) + made[1].update(withdrawn_at=now)
    retired, still_used = _retire_organizations(run, now)
    Import.objects.filter(pk=run.pk).update(undone_at=now)
    renew_matching()
    done = Undone(withdrawn + retired, restored, kept + still_used)
    leave_trail(
        touched, "undo_import", f"import:{run.pk}", {"file": run.file_name, **asdict(done)},
        actor=actor, now=now,
    )  # fmt: skip
    return done


def _owners(run: Import) -> set[int]:
    changed = run.changes.values_list("table", "row")
    rows: dict[str, list[int]] = {"organization": [], "claim": [], "contact": []}
    for table, row in changed:
        rows[table].append(row)
    owners = set(rows["organization"])
    owners |= set(Organization.objects.filter(made_by=run).values_list("pk", flat=True))
    for model, table in ((Claim, "claim"), (Contact, "contact")):
        owners |= set(model.objects.filter(made_by=run).values_list("organization", flat=True))
        for start in range(0, len(rows[table]), 2_000):
            portion = rows[table][start : start + 2_000]
            found = model.objects.filter(pk__in=portion).values_list("organization", flat=True)
            owners |= set(found)
    return owners


def _restore(run: Import, actor: Actor, now: datetime) -> tuple[int, int]:
    restored = kept = 0
    for table, restore in (
        ("organization", _restore_organization),
        ("claim", _restore_claim),
    ):
        for change in run.changes.filter(table=table).iterator():
            if restore(change):
                restored += 1
            else:
                kept += 1
    again, stayed = _restore_contacts(list(run.changes.filter(table="contact")), actor, now)
    return restored + again, kept + stayed


def _restore_organization(change: ImportChange) -> bool:
    above = change.before.get("parent")
    if above is not None and change.row in line_of(above):
        return False  # by now that one stands below this one
    columns = {("parent_id" if name == "parent" else name): name for name in change.after}
    now_there = Organization.objects.filter(
        pk=change.row, **{column: change.after[name] for column, name in columns.items()}
    )
    before = {column: change.before[name] for column, name in columns.items()}
    if not now_there.update(**before):
        return False
    if change.after.get("sector") != change.before.get("sector"):
        PastSector.objects.filter(
            organization_id=change.row,
            valid_to=change.run.created_at.date(),
            sector=change.before["sector"],  # a change by hand on that day is not the import's
        ).delete()
    return True


def _restore_claim(change: ImportChange) -> bool:
    standing = Claim.objects.filter(
        pk=change.row, withdrawn_at__isnull=True, **_exactly(_dated(change.after))
    )
    return bool(standing.update(**_dated(change.before)))


def _dated(values: dict[str, str | None]) -> dict[str, str | date | None]:
    return {
        column: date.fromisoformat(value) if column in _DATES and value else value
        for column, value in values.items()
    }


def _exactly(values: dict[str, str | date | None]) -> dict[str, object]:
    """Values as a filter; NULL is asked for by name."""
    return {
        (f"{column}__isnull" if value is None else column): (True if value is None else value)
        for column, value in values.items()
    }


def _restore_contacts(
    changes: Sequence[ImportChange], actor: Actor, now: datetime
) -> tuple[int, int]:
    current = {
        version.contact_id: version
        for start in range(0, len(changes), 2_000)
        for version in ContactVersion.objects.filter(
            contact_id__in=[change.row for change in changes[start : start + 2_000]],
            superseded_at__isnull=True,
            contact__withdrawn_at__isnull=True,
        )
    }
    back = [
        change
        for change in changes
        if change.row in current
        and plain_values({name: getattr(current[change.row], name) for name in change.after})
        == change.after
    ]
    numbers = supersede([change.row for change in back], now)
    write_versions(
        ((c.row, numbers[c.row] + 1, {**_dated(c.before)}) for c in back), by=actor.name, now=now
    )
    return len(back), len(changes) - len(back)


def _retire_organizations(run: Import, now: datetime) -> tuple[int, int]:
    """Retire what the import made, from the leaves up; returns (retired, still in use)."""
    made = Organization.objects.filter(made_by=run, retired_at__isnull=True)
    in_use = (
        set(
            Claim.objects.filter(organization__in=made, withdrawn_at__isnull=True).values_list(
                "organization", flat=True
            )
        )
        | set(
            Contact.objects.filter(organization__in=made, withdrawn_at__isnull=True).values_list(
                "organization", flat=True
            )
        )
        | set(
            Organization.objects.filter(parent__in=made, retired_at__isnull=True)
            .exclude(made_by=run)
            .values_list("parent", flat=True)
        )
    )
    parents = dict(made.values_list("pk", "parent_id"))
    kept: set[int] = set()
    for owner in in_use:  # what stays keeps all above it
        place: int | None = owner
        while place in parents and place not in kept:
            kept.add(place)
            place = parents[place]
    gone = sorted(set(parents) - kept)
    for start in range(0, len(gone), 2_000):
        portion = gone[start : start + 2_000]
        Handle.objects.filter(organization_id__in=portion).delete()
        Organization.objects.filter(pk__in=portion).update(retired_at=now)
    return len(gone), len(kept)
