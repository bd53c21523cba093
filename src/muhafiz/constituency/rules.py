"""What may be claimed, by whom it is owned, and who is called when: no storage, no clock."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from fnmatch import fnmatchcase
from typing import Protocol, TypeVar

import pyarrow as pa

from muhafiz.common.refusal import Refusal
from muhafiz.formats.addresses import parse_domains
from muhafiz.formats.csv_cells import runs_as_formula

KINDS = ("address", "domain", "asn")
ORIGINS = ("automatic", "manual")
ROLES = ("24/7", "abuse", "ciso", "press")
LANGUAGES = ("en", "ur")
_LARGEST_ASN = 2**32 - 1
_MAPPED_BITS = 96
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
#: Controls, lone surrogates, line and paragraph ends, embedded and overridden directions, marks of
#: byte order, letters of private use. What stays invisible and harmless is not among them.
_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u200b\u2028-\u202e\u2060-\u206f\ue000-\uf8ff\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e0fff\U000f0000-\U0010ffff]"
)
_SEEN = re.compile(r"[^\W_]")
_LONGEST_ADDRESS = 254
_ATOM = r"[A-Za-z0-9!#$%&'*/=?^_`{|}~+-]+"
_LOCAL_PART = re.compile(rf"(?=.{{1,64}}\Z){_ATOM}(?:\.{_ATOM})*")
_MAIL_DOMAIN = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])"
)


class BadClaim(Refusal):
    """The text is no network, domain or ASN."""

    text = "“{value}” is no {kind}: {reason}."


class BadPeriod(Refusal):
    """A period that ends before it begins."""

    text = "A period cannot end ({valid_to}) before it begins ({valid_from})."


class BadHours(Refusal):
    """On-call hours that cannot be read."""

    text = (
        "“{value}” are no on-call hours; write for example “Mon-Fri 09:00-17:00; Sat 10:00-14:00”."
    )


class BadContact(Refusal):
    """Contact details that cannot be used."""

    text = "This contact cannot be used: {reason}."


class BadName(Refusal):
    """A name that is empty, too long or written like a spreadsheet formula."""

    text = "“{value}” cannot be a name: {reason}."


class WouldCycle(Refusal):
    """An organization placed below itself."""

    text = "An organization cannot stand below itself."


class UnknownSector(Refusal):
    """A sector code that the rulebook does not list."""

    text = "The rulebook knows no sector “{sector}”."


class UnknownRegion(Refusal):
    """A region code that the rulebook does not list."""

    text = "The rulebook knows no region “{region}”."


class NoSuchOrganization(Refusal):
    """An organization that does not exist, or is retired."""

    text = "There is no such organization in force: {organization}."


class NoSuchRecord(Refusal):
    """A claim, contact, inhibition or import that does not exist, or is over."""

    text = "There is no such {what} in force: {identifier}."


class AlreadyClaimed(Refusal):
    """The organization claims this already, for an overlapping time and with equal standing."""

    text = "This organization already claims {value} at that time."


class AlreadyContact(Refusal):
    """The organization has this contact: the same address in the same role."""

    text = "This organization has the contact {address} in that role already."


class CannotAsk(Refusal):
    """Contacts that cannot be asked by letter."""

    text = "No contact can be asked: {reason}."


class AskIsOver(Refusal):
    """A link by which a contact answers that was used, or is no longer about anything."""

    text = "This link was answered already, or what it asks about has changed since. Thank you."


class HandleTaken(Refusal):
    """A registry handle that names another organization."""

    text = "The handle {handle} of {source} names another organization already."


class CannotMerge(Refusal):
    """Organizations that cannot become one."""

    text = "These organizations cannot be merged: {reason}."


def check_period(valid_from: date | None, valid_to: date | None) -> None:
    """Raise `BadPeriod` when it ends before it begins; an empty period (equal days) is allowed."""
    if valid_from and valid_to and valid_to < valid_from:
        raise BadPeriod(valid_from=valid_from, valid_to=valid_to)


def overlap(one: tuple[date | None, date | None], other: tuple[date | None, date | None]) -> bool:
    """Whether two half-open periods share a day."""
    first = max(one[0] or date.min, other[0] or date.min)
    last = min(one[1] or date.max, other[1] or date.max)
    return first < last


def holds(valid_from: date | None, valid_to: date | None, day: date) -> bool:
    """Whether a period covers a UTC day."""
    return (valid_from is None or valid_from <= day) and (valid_to is None or day < valid_to)


def canonical_claim(kind: str, value: str) -> str:
    """The one spelling of a claim: "203.0.113.0/24", "2001:db8::/32", "example.org", "AS64500".

    Raises:
        BadClaim: it is none. Host bits set below the prefix are refused, not cut off.
    """
    value = value.strip()
    if kind == "address":
        return _canonical_network(value)
    if kind == "asn":
        return f"AS{asn_number(value)}"
    if kind != "domain":
        raise BadClaim(value=kind, kind="kind of claim", reason="it is one of " + ", ".join(KINDS))
    name: str | None = parse_domains(pa.array([value.removeprefix("*.")], pa.string()))[0].as_py()
    if name is None:
        raise BadClaim(value=value, kind="domain", reason="it is not of the form example.org")
    return name


def _canonical_network(value: str) -> str:
    try:
        network = ipaddress.ip_network(value)
    except ValueError:
        raise _no_network(value) from None
    if getattr(network.network_address, "scope_id", None):
        raise BadClaim(value=value, kind="network", reason="it carries a zone")
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is not None and network.prefixlen >= _MAPPED_BITS:
        return f"{mapped}/{network.prefixlen - _MAPPED_BITS}"
    return str(network)


def _no_network(value: str) -> BadClaim:
    """What is wrong with it: addresses of its machines stand in it, or it is no network at all."""
    try:
        meant = ipaddress.ip_network(value, strict=False)
    except ValueError:
        reason = "it is not of the form 203.0.113.0/24 or 2001:db8::/32"
        return BadClaim(value=value, kind="network", reason=reason)
    reason = f"it is an address within {meant}"
    return BadClaim(value=value, kind="network", reason=reason)


def asn_number(value: str) -> int:
    """The number of an autonomous system, from "AS64500", "64500" or asdot "AS1.10" (RFC 5396).

    Raises:
        BadClaim: it is none, or out of 32 bits.
    """
    found = re.fullmatch(
        r"(?:AS)?(?:([0-9]{1,5})\.)?([0-9]{1,10})", value.strip(), re.IGNORECASE | re.ASCII
    )
    if found is None:
        raise BadClaim(value=value, kind="ASN", reason="it is not of the form AS64500")
    high, low = found.groups()
    number = int(low) if high is None else int(high) * 2**16 + int(low)
    if number > _LARGEST_ASN or number == 0 or (high is not None and int(low) >= 2**16):
        raise BadClaim(value=value, kind="ASN", reason="it is outside 1 to 4294967295")
    return number


def check_name(value: str, longest: int = 200) -> str:
    """A name without surrounding white space.

    Raises:
        BadName: empty, too long, beginning like a formula, or holding what nobody sees and what
            makes other text look like something else: controls, line ends, changes of direction.
            Joiners and direction marks, which Urdu needs, may stand in it.
    """
    name = value.strip()
    if len(name) > longest:
        raise BadName(value=name[:40] + "…", reason=f"it is longer than {longest} letters")
    shown = _HIDDEN.sub("\ufffd", name)
    if shown != name:
        raise BadName(value=shown, reason="it holds control characters")
    if not _SEEN.search(name):
        raise BadName(value=name, reason="it is empty")
    if runs_as_formula(name):
        raise BadName(value=name, reason="a spreadsheet would take it for a formula")
    return name


def check_address(value: str) -> str:
    """A plain e-mail address, its domain in lower case.

    Raises:
        BadContact: it is none (display names, quoted local parts, non-ASCII are refused).
    """
    address = value.strip()
    local, _, domain = address.rpartition("@")
    if (
        not _LOCAL_PART.fullmatch(local)
        or not _MAIL_DOMAIN.fullmatch(domain.lower())
        or len(address) > _LONGEST_ADDRESS
        or local.startswith(_FORMULA)
    ):
        raise BadContact(reason=f"“{address[:80]}” is no e-mail address")
    return f"{local}@{domain.lower()}"


def check_role(role: str) -> str:
    """The role in its one spelling ("24/7", "abuse", "ciso", "press").

    Raises:
        BadContact: it is none of them.
    """
    if role.strip().lower() not in ROLES:
        raise BadContact(reason=f"“{role}” is no role; it is one of {', '.join(ROLES)}")
    return role.strip().lower()


_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SHIFT = re.compile(r"(?:([a-z]{3})(?:-([a-z]{3}))? +)?([0-9]{2}:[0-9]{2})-([0-9]{2}:[0-9]{2})")


@dataclass(frozen=True, slots=True)
class Shift:
    """Hours on certain days of the week (0 is Monday); a shift past midnight began on its day."""

    days: frozenset[int]
    start: time
    end: time

    def covers(self, local: datetime) -> bool:
        """Whether someone is on call at this wall-clock time."""
        moment, day = local.time(), local.weekday()
        if self.start < self.end:
            return day in self.days and self.start <= moment < self.end
        return (day in self.days and moment >= self.start) or (
            (day - 1) % len(_DAYS) in self.days and moment < self.end
        )


def parse_hours(value: str) -> tuple[Shift, ...]:
    """Weekly hours: "Mon-Fri 09:00-17:00; Sat 10:00-14:00". Empty: none, which means always.

    Raises:
        BadHours: they cannot be read.
    """
    return tuple(_shift(part, value) for part in value.split(";") if part.strip())


def _shift(part: str, whole: str) -> Shift:
    found = _SHIFT.fullmatch(part.strip().lower())
    if found is None:
        raise BadHours(value=whole)
    first, last, start, end = found.groups()
    try:
        begin = _DAYS.index(first) if first else 0
        until = _DAYS.index(last or first) if first else len(_DAYS) - 1
        days = {(begin + step) % len(_DAYS) for step in range((until - begin) % len(_DAYS) + 1)}
        ending = "00:00" if end == "24:00" else end  # midnight, as people write it
        return Shift(frozenset(days), time.fromisoformat(start), time.fromisoformat(ending))
    except ValueError:
        raise BadHours(value=whole) from None


def on_call(hours: str, local: datetime) -> bool:
    """Whether `hours` cover the wall-clock time `local`; empty hours always do."""
    shifts = parse_hours(hours)
    return not shifts or any(shift.covers(local) for shift in shifts)


class Reachable(Protocol):
    """What choosing a contact needs to know of one."""

    @property
    def role(self) -> str:
        """Its role."""

    @property
    def hours(self) -> str:
        """Its on-call hours."""


_C = TypeVar("_C", bound=Reachable)


def choose_contacts(contacts: Sequence[_C], role_order: Sequence[str], local: datetime) -> list[_C]:
    """Those of the first role in `role_order` where someone is on call.

    When nobody is on call, all of the first role that exists at all: a letter waits in a mailbox
    rather than being lost.
    """
    for demand_hours in (True, False):
        for role in role_order:
            found = [
                contact
                for contact in contacts
                if contact.role == role and (not demand_hours or on_call(contact.hours, local))
            ]
            if found:
                return found
    return []


def check_tree(organization: int, ancestors: Iterable[int]) -> None:
    """Raise `WouldCycle` when `organization` is among the ancestors it would get."""
    if organization in set(ancestors):
        raise WouldCycle


def precedence(origin: str, valid_from: date | None, identifier: int) -> tuple[int, int, int]:
    """Sorts claims of one prefix, the winner first: manual, then latest start, then lowest id."""
    return (
        0 if origin == "manual" else 1,
        -(valid_from or date.min).toordinal(),
        identifier,
    )


def sector_periods(
    current: str, past: Iterable[tuple[date, str]]
) -> list[tuple[str, date | None, date | None]]:
    """(sector, from, to) for all time, from the sectors left behind: (first day gone, sector)."""
    periods: list[tuple[str, date | None, date | None]] = []
    since: date | None = None
    for until, sector in sorted(past):
        periods.append((sector, since, until))
        since = until
    return [*periods, (current, since, None)]


def inhibits(pattern: str, classification: str) -> bool:
    """Whether an inhibition's pattern ("*", "vulnerable-system", "vulner*") meets a type."""
    return fnmatchcase(classification, pattern)
