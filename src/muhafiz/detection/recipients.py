"""What detection asks of the constituency, the rulebook and the keyring, some at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from muhafiz.constituency import queries as constituency
from muhafiz.constituency.facts import ContactFacts, OrganizationFacts
from muhafiz.detection.bundling import MOST_BYTES
from muhafiz.detection.composing import House
from muhafiz.detection.planning import Inhibitions
from muhafiz.keyring.queries import own_certificate
from muhafiz.keyring.rules import NoSigningCertificate
from muhafiz.notifications.sender import house_sender
from muhafiz.rulebook.queries import value_or

_QUIET_DAYS = 14  # unless the rulebook says otherwise
_AT_A_TIME = 500  # ids in one statement: every SQLite takes 999


def zone(at: datetime) -> ZoneInfo:
    """The jurisdiction's time zone."""
    return ZoneInfo(str(value_or("jurisdiction.timezone", "UTC", at=at)))


def quiet_after(at: datetime) -> timedelta:
    """How long after its last sighting a finding counts as gone (`findings.quiet_days`)."""
    days = value_or("findings.quiet_days", _QUIET_DAYS, at=at)
    return timedelta(days=days if isinstance(days, int) and days > 0 else _QUIET_DAYS)


def house(at: datetime) -> House:
    """In whose name letters are written."""
    sender = house_sender(at=at)
    try:
        fingerprint = own_certificate(at=at).fingerprint
    except NoSigningCertificate:
        fingerprint = ""
    most = value_or("notices.attachment_mib", None, at=at)
    attached = most * 2**20 if isinstance(most, int) and most > 0 else MOST_BYTES
    return House(sender.names, sender.address, fingerprint, zone(at), attached)


def contacts(organization_ids: Iterable[int], at: datetime) -> dict[int, list[ContactFacts]]:
    """Whom to write to; an empty list where nobody is known."""
    found: dict[int, list[ContactFacts]] = {}
    for some in _portions(organization_ids):
        found |= constituency.contacts_for(some, at=at)
    return found


def organizations(organization_ids: Iterable[int]) -> dict[int, OrganizationFacts]:
    """The organizations by id."""
    found: dict[int, OrganizationFacts] = {}
    for some in _portions(organization_ids):
        found |= constituency.organizations(some)
    return found


def inhibitions(at: datetime) -> Inhibitions:
    """What no letters may be about at this moment, as planning asks it."""

    def ask(
        owners: set[int], types: set[str], claims: set[int]
    ) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
        by_owner = [
            p for some in _portions(owners) for p in constituency.inhibited(some, types, at)
        ]
        by_claim = [
            p for some in _portions(claims) for p in constituency.inhibited_claims(some, types, at)
        ]
        return by_owner, by_claim

    return ask


def _portions(ids: Iterable[int]) -> Iterator[list[int]]:
    ordered = sorted(set(ids))
    for start in range(0, len(ordered), _AT_A_TIME):
        yield ordered[start : start + _AT_A_TIME]
