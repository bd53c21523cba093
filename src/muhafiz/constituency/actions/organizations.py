"""Changes to organizations and their tree."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from django.db import transaction
from django.db.models import F, Q

from muhafiz.common.actor import Actor
from muhafiz.constituency.actions.trail import (
    check_region,
    check_sector,
    hold_constituency,
    leave_trail,
    renew_matching,
    standing_organization,
)
from muhafiz.constituency.models import (
    Claim,
    Contact,
    Handle,
    Inhibition,
    Organization,
    PastSector,
)
from muhafiz.constituency.rules import (
    LANGUAGES,
    BadName,
    BadPeriod,
    CannotMerge,
    HandleTaken,
    check_name,
    check_tree,
)


@transaction.atomic
def register_organization(
    *,
    name_en: str,
    name_ur: str = "",
    sector: str = "",
    region: str = "",
    language: str = "en",
    parent_id: int | None = None,
    handles: Iterable[tuple[str, str]] = (),
    note: str = "",
    actor: Actor,
    now: datetime,
) -> int:
    """Take a constituent in and return its id.

    `sector` is a code of the rulebook's `sectors`, `region` one of its `regions`, or empty;
    `handles` are (source, handle) by which registries know it, e.g. ("apnic", "ORG-EX1-AP").

    Raises:
        BadName, UnknownSector, UnknownRegion, NoSuchOrganization (the parent), HandleTaken.
    """
    hold_constituency()
    row = Organization(
        name_en=check_name(name_en),
        name_ur=check_name(name_ur) if name_ur else "",
        sector=check_sector(sector, now),
        region=check_region(region, now),
        language=check_language(language),
        parent=standing_organization(parent_id) if parent_id is not None else None,
        note=note,
        created_at=now,
    )
    row.save()
    for source, handle in handles:
        _take_handle(row, source, handle)
    details = {"name": row.name_en, "sector": sector, "parent": parent_id}
    leave_trail(
        [row.pk], "register_organization", f"organization:{row.pk}", details, actor=actor, now=now
    )
    return row.pk


def check_language(language: str) -> str:
    """The code itself.

    Raises:
        BadName: letters are not written in that language.
    """
    if language not in LANGUAGES:
        raise BadName(value=language, reason=f"it is no language of {', '.join(LANGUAGES)}")
    return language


@transaction.atomic
def edit_organization(
    *,
    organization_id: int,
    name_en: str | None = None,
    name_ur: str | None = None,
    region: str | None = None,
    language: str | None = None,
    note: str | None = None,
    actor: Actor,
    now: datetime,
) -> None:
    """Change names, region, language or note; None leaves a value as it is.

    Raises:
        BadName, UnknownRegion, NoSuchOrganization.
    """
    hold_constituency()
    row = standing_organization(organization_id)
    wanted = {
        "name_en": name_en if name_en is None else check_name(name_en),
        "name_ur": check_name(name_ur) if name_ur else name_ur,
        "region": region if region is None else check_region(region, now),
        "language": language if language is None else check_language(language),
        "note": note,
    }
    changed: dict[str, list[str]] = {}
    for field, value in wanted.items():
        if value is not None and value != getattr(row, field):
            changed[field] = [getattr(row, field), value]
            setattr(row, field, value)
    if changed:
        row.save()
        leave_trail(
            [row.pk], "edit_organization", f"organization:{row.pk}",
            {field: list(pair) for field, pair in changed.items()}, actor=actor, now=now,
        )  # fmt: skip


@transaction.atomic
def move_organization(
    *, organization_id: int, parent_id: int | None, actor: Actor, now: datetime
) -> None:
    """Place an organization below another, or at the top.

    Raises:
        WouldCycle: it would stand below itself. NoSuchOrganization: either does not exist.
    """
    hold_constituency()
    row = standing_organization(organization_id)
    before = row.parent_id
    if parent_id is not None:
        check_tree(organization_id, line_of(standing_organization(parent_id).pk))
    Organization.objects.filter(pk=row.pk).update(parent_id=parent_id)
    leave_trail(
        [row.pk], "move_organization", f"organization:{row.pk}",
        {"parent": [before, parent_id]}, actor=actor, now=now,
    )  # fmt: skip


def line_of(identifier: int | None) -> list[int]:
    """An organization and all above it, nearest first."""
    line: list[int] = []
    while identifier is not None and identifier not in line:
        line.append(identifier)
        identifier = (
            Organization.objects.filter(pk=identifier).values_list("parent_id", flat=True).first()
        )
    return line


@transaction.atomic
def change_sector(
    *, organization_id: int, sector: str, since: date, actor: Actor, now: datetime
) -> None:
    """Count an organization to another sector from a UTC day on; earlier events keep the old one.

    Raises:
        UnknownSector, NoSuchOrganization.
        BadPeriod: `since` lies ahead, or not after the last such change.
    """
    hold_constituency()
    row = standing_organization(organization_id)
    check_sector(sector, now)
    latest = row.past_sectors.order_by("-valid_to").values_list("valid_to", flat=True).first()
    if since > now.date() or (latest is not None and since <= latest):
        raise BadPeriod(valid_from=latest or now.date(), valid_to=since)
    if sector == row.sector:
        return
    PastSector.objects.create(organization=row, sector=row.sector, valid_to=since)
    Organization.objects.filter(pk=row.pk).update(sector=sector)
    renew_matching()
    leave_trail(
        [row.pk], "change_sector", f"organization:{row.pk}",
        {"sector": [row.sector, sector], "since": since.isoformat()}, actor=actor, now=now,
    )  # fmt: skip


@transaction.atomic
def add_handle(
    *, organization_id: int, source: str, handle: str, actor: Actor, now: datetime
) -> None:
    """Make an organization known under a registry's handle, for the next import to match.

    Raises:
        HandleTaken: it names another organization. NoSuchOrganization.
    """
    hold_constituency()
    row = standing_organization(organization_id)
    _take_handle(row, source, handle)
    leave_trail(
        [row.pk], "add_handle", f"organization:{row.pk}",
        {"source": source, "handle": handle}, actor=actor, now=now,
    )  # fmt: skip


def _take_handle(row: Organization, source: str, handle: str) -> None:
    source, handle = check_name(source, 64).lower(), check_name(handle, 128).upper()
    owner = Handle.objects.filter(source=source, handle=handle).first()
    if owner is not None and owner.organization_id != row.pk:
        raise HandleTaken(source=source, handle=handle)
    if owner is None:
        Handle.objects.create(organization=row, source=source, handle=handle)


@transaction.atomic
def retire_organization(*, organization_id: int, since: date, actor: Actor, now: datetime) -> None:
    """Let a constituent go: its claims end on `since`, its history stays.

    Raises:
        NoSuchOrganization.
        CannotMerge: organizations still stand below it.
    """
    hold_constituency()
    row = standing_organization(organization_id)
    if row.children.filter(retired_at__isnull=True).exists():
        raise CannotMerge(reason="organizations still stand below it")
    ended = _end_claims(row, since)
    Organization.objects.filter(pk=row.pk).update(retired_at=now)
    renew_matching()
    leave_trail(
        [row.pk], "retire_organization", f"organization:{row.pk}",
        {"since": since.isoformat(), "claims": len(ended)}, actor=actor, now=now,
    )  # fmt: skip


@transaction.atomic
def merge_organizations(
    *, kept_id: int, absorbed_id: int, since: date, actor: Actor, now: datetime
) -> None:
    """Make one organization part of another from a UTC day on.

    The absorbed one's claims end on `since` and begin with the kept one on that day, with the same
    standing; its contacts, handles and children move over; it is retired and points to the kept
    one, so a letter about last month's event goes to whoever answers for it now. No letters about
    its networks go out for as long as none did before; the kept one's own are not concerned.

    Raises:
        NoSuchOrganization.
        CannotMerge: they are one already, or the kept one stands below the absorbed one.
    """
    hold_constituency()
    kept, absorbed = standing_organization(kept_id), standing_organization(absorbed_id)
    if kept_id == absorbed_id:
        raise CannotMerge(reason="they are the same")
    if absorbed_id in line_of(kept_id):
        raise CannotMerge(reason="the one to keep stands below the other; move it first")
    ended = _end_claims(absorbed, since)
    moved = [_moved(claim, kept, since, now) for claim in ended]
    Claim.objects.bulk_create(moved, batch_size=2_000)
    successors = zip((claim.pk for claim in ended), moved, strict=True)
    _inhibit_moved(absorbed, dict(successors), now)
    Contact.objects.filter(organization=absorbed).update(organization=kept)
    Handle.objects.filter(organization=absorbed).update(organization=kept)
    Organization.objects.filter(parent=absorbed).update(parent=kept)
    Organization.objects.filter(pk=absorbed_id).update(retired_at=now, merged_into=kept)
    renew_matching()
    leave_trail(
        [kept_id, absorbed_id], "merge_organizations", f"organization:{kept_id}",
        {"absorbed": absorbed_id, "since": since.isoformat(), "claims": len(moved)},
        actor=actor, now=now,
    )  # fmt: skip


def _inhibit_moved(absorbed: Organization, moved: dict[int, Claim], now: datetime) -> None:
    """Copy inhibitions in force to the claims that begin; the old ones hold for earlier events."""
    in_force = Inhibition.objects.filter(lifted_at__isnull=True, until__gt=now)
    copies = [
        (row, claim)
        for row in in_force.filter(organization=absorbed).order_by("pk")
        for claim in moved.values()
    ]
    copies += [
        (row, moved[row.claim_id])
        for row in in_force.filter(claim__organization=absorbed).order_by("pk")
        if row.claim_id in moved
    ]
    Inhibition.objects.bulk_create(
        (
            Inhibition(
                claim=claim,
                classes=row.classes,
                until=row.until,
                reason=row.reason,
                created_at=row.created_at,
                created_by=row.created_by,
            )
            for row, claim in copies
        ),
        batch_size=2_000,
    )


def _end_claims(owner: Organization, since: date) -> list[Claim]:
    """End what still holds on `since` or begins later; returns the claims as they stood."""
    open_claims = owner.claims.filter(withdrawn_at__isnull=True).filter(
        Q(valid_to__isnull=True) | Q(valid_to__gt=since)
    )
    claims = list(open_claims)
    open_claims.filter(valid_from__gt=since).update(valid_to=F("valid_from"))
    open_claims.filter(Q(valid_from__isnull=True) | Q(valid_from__lte=since)).update(valid_to=since)
    return claims


def _moved(claim: Claim, owner: Organization, since: date, now: datetime) -> Claim:
    return Claim(
        organization=owner,
        kind=claim.kind,
        text=claim.text,
        valid_from=max(since, claim.valid_from or since),
        valid_to=claim.valid_to,
        origin=claim.origin,
        source=claim.source,
        note=claim.note,
        created_at=now,
        made_by_id=claim.made_by_id,
    )
