"""What every change to the constituency does besides the change itself."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime

from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.constituency.models import Change, Organization, State
from muhafiz.constituency.rules import NoSuchOrganization, UnknownRegion, UnknownSector
from muhafiz.rulebook import queries as rulebook

JSON = str | int | float | bool | None | list["JSON"] | dict[str, "JSON"]
_PORTION = 2_000


def hold_constituency() -> None:
    """Let no other change run beside this one until its transaction ends.

    Edits are rare; one at a time means that a tree cannot get a cycle between two of them.
    """
    State.objects.get_or_create(pk=1)
    State.objects.select_for_update().get(pk=1)


def renew_matching() -> None:
    """Tell attribution that whose is whose has changed."""
    State.objects.update_or_create(pk=1, defaults={"token": uuid.uuid4()})


def leave_trail(
    organization_ids: Iterable[int],
    action: str,
    subject: str,
    details: Mapping[str, JSON],
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Write the history lines and the audit entry; the last thing a change does."""
    lines = [
        Change(organization_id=owner, at=now, by=actor.name[:128], action=action, details=details)
        for owner in sorted(set(organization_ids))
    ]
    Change.objects.bulk_create(lines, batch_size=_PORTION)
    record_entry(
        actor=actor,
        now=now,
        action=f"constituency.{action}",
        subject=subject,
        details=details,
    )


def standing_organization(identifier: int) -> Organization:
    """An organization that is not retired.

    Raises:
        NoSuchOrganization: there is none.
    """
    found = Organization.objects.filter(pk=identifier, retired_at__isnull=True).first()
    if found is None:
        raise NoSuchOrganization(organization=identifier)
    return found


def known_sectors(now: datetime) -> frozenset[str]:
    """The codes of the sectors in the rulebook today; none when no profile is loaded."""
    listed = rulebook.value_or("sectors", [], at=now)
    return frozenset(str(sector["code"]) for sector in listed)


def known_regions(now: datetime) -> frozenset[str]:
    """The codes of the regions in the rulebook today; none when no profile is loaded."""
    listed = rulebook.value_or("regions", [], at=now)
    return frozenset(str(region["code"]) for region in listed)


def check_region(region: str, now: datetime) -> str:
    """The code itself; empty stands for an unknown region.

    Raises:
        UnknownRegion: the rulebook does not list it.
    """
    if region and region not in known_regions(now):
        raise UnknownRegion(region=region)
    return region


def check_sector(sector: str, now: datetime) -> str:
    """The code itself; empty stands for no sector.

    Raises:
        UnknownSector: the rulebook does not list it.
    """
    if sector and sector not in known_sectors(now):
        raise UnknownSector(sector=sector)
    return sector
