"""A question to the lake, as a value: typed, checked, engine-neutral."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal, get_args

from muhafiz.lake.refusals import BadQuery

Order = Literal["newest", "oldest"]
Grouping = Literal[
    "organization", "sector", "type", "taxonomy", "identifier", "severity", "tlp",
    "network", "feed", "asn", "port", "address",
]  # fmt: skip
Step = Literal["hour", "day"]

#: A column by which events are tallied.
Trait = Literal[
    "classification_taxonomy", "classification_type", "severity", "sector", "organization_id", "day"
]

MAX_LIMIT = 1_000_000  # rows that one page may hold
MAX_LISTED = 20_000  # organizations, keys and names in one filter
_WHOLE_NUMBERS = frozenset({"organization_ids", "keys", "asns", "source_ports"})
_INT64 = 2**63
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CURSOR = struct.Struct(">qq")


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended: the event's time (UTC microseconds) and key."""

    time_us: int
    key: int

    def text(self) -> str:
        """URL-safe text that `EventQuery.after` takes."""
        return base64.urlsafe_b64encode(_CURSOR.pack(self.time_us, self.key)).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> Cursor:
        """The cursor in `text`.

        Raises:
            BadQuery: the text is no cursor.
        """
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            return cls(*_CURSOR.unpack(raw))
        except (binascii.Error, struct.error, ValueError) as wrong:
            raise BadQuery(reason="the page mark is not one of ours.") from wrong


@dataclass(frozen=True, slots=True)
class Without:
    """What is left out. An event that has no value is never left out for a value.

    Raises:
        BadQuery: a list holds what it cannot hold.
    """

    organization_ids: frozenset[int] = frozenset()
    nobody: bool = False  # what is owned by nobody is left out
    sectors: frozenset[str] = frozenset()
    networks: frozenset[str] = frozenset()
    asns: frozenset[int] = frozenset()
    classification_taxonomies: frozenset[str] = frozenset()
    classification_types: frozenset[str] = frozenset()
    classification_identifiers: frozenset[str] = frozenset()
    severities: frozenset[str] = frozenset()
    feed_codes: frozenset[str] = frozenset()
    source_ports: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        _settle_lists(self)


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Which events, in which order, how many. All filters must hold; an empty one holds always.

    An event's time is the source's, else the observation's, of its first accepted row; it never
    changes, whatever is seen later. `since` is included, `until` is not.

    Raises:
        BadQuery: a filter contradicts itself or has no sense.
    """

    organization_ids: frozenset[int] = frozenset()  # any of these owners
    nobody: bool = False  # with organization_ids: or owned by nobody; alone: owned by nobody
    cidr: str | None = None  # the source address lies in this network
    asn: int | None = None  # source_asn
    domain_suffix: str | None = None  # source_fqdn is this name or below it
    classification_types: frozenset[str] = frozenset()  # RSIT types
    classification_taxonomies: frozenset[str] = frozenset()  # RSIT classes
    classification_identifiers: frozenset[str] = frozenset()
    severities: frozenset[str] = frozenset()
    sectors: frozenset[str] = frozenset()  # the owner's at the event's time
    networks: frozenset[str] = frozenset()  # the claim that matched, as text
    source_ports: frozenset[int] = frozenset()
    protocols: frozenset[str] = frozenset()  # protocol_transport
    destination_cidr: str | None = None
    feed_codes: frozenset[str] = frozenset()
    without: Without = field(default_factory=Without)
    since: datetime | None = None
    until: datetime | None = None
    received_since: datetime | None = None  # by the report's receipt (time_observation)
    received_until: datetime | None = None
    keys: frozenset[int] = frozenset()
    key_range: tuple[int, int] | None = None  # first and last key, both included
    report_id: int | None = None  # events first stored from this report
    order: Order = "newest"
    limit: int | None = 1000  # None: all (take `scan_days`, which holds one day at a time)
    after: str | None = None  # the cursor of the page before

    def __post_init__(self) -> None:
        _settle_lists(self)
        _check_numbers(self)
        _check_times(self)
        if self.order not in get_args(Order):
            raise BadQuery(reason=f"there is no order “{self.order}”.")
        if self.after is not None:
            Cursor.read(self.after)
        for cidr in (self.cidr, self.destination_cidr):
            if cidr is not None:
                _network(cidr)
        if self.domain_suffix is not None:
            object.__setattr__(self, "domain_suffix", _name(self.domain_suffix))

    def address_range(self) -> tuple[bytes, bytes] | None:
        """First and last address of `cidr` as 16 bytes, IPv4 mapped."""
        return None if self.cidr is None else _ends(self.cidr)

    def destination_range(self) -> tuple[bytes, bytes] | None:
        """First and last address of `destination_cidr` as 16 bytes, IPv4 mapped."""
        return None if self.destination_cidr is None else _ends(self.destination_cidr)

    def suffix_reversed(self) -> str | None:
        """`domain_suffix` with its labels reversed: "example.org" → "org.example"."""
        if self.domain_suffix is None:
            return None
        return ".".join(reversed(self.domain_suffix.split(".")))

    def days(self) -> tuple[date | None, date | None]:
        """First and last UTC day that can hold an answer; None: open."""
        first = None if self.since is None else self.since.astimezone(UTC).date()
        last = None
        if self.until is not None:
            last = (self.until.astimezone(UTC) - timedelta(microseconds=1)).date()
        return first, last


def microseconds(moment: datetime) -> int:
    """UTC microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment_of(microseconds_utc: int) -> datetime:
    """The moment of UTC microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=microseconds_utc)


def _settle_lists(holder: EventQuery | Without) -> None:
    """Every list of `holder` becomes a checked set."""
    for each in fields(holder):
        if "frozenset" in str(each.type):
            object.__setattr__(holder, each.name, _listed(each.name, getattr(holder, each.name)))


def _listed(name: str, values: Iterable[Any]) -> frozenset[Any]:
    """The values as a set, refused when too many or of the wrong type."""
    if isinstance(values, str):
        raise BadQuery(reason=f"{name} must be a set, not one text.")
    found = frozenset(values)
    wanted = int if name in _WHOLE_NUMBERS else str
    if len(found) > MAX_LISTED:
        raise BadQuery(reason=f"{name} lists more than {MAX_LISTED} values.")
    for value in found:
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise BadQuery(reason=f"{name} holds {value!r}, which is no {wanted.__name__}.")
        if isinstance(value, int) and not -_INT64 <= value < _INT64:
            raise BadQuery(reason=f"{name} holds {value}, which has more than 64 bits.")
    return found


def _check_numbers(query: EventQuery) -> None:
    if query.limit is not None and not 1 <= query.limit <= MAX_LIMIT:
        raise BadQuery(reason=f"the limit must lie between 1 and {MAX_LIMIT}.")
    if query.asn is not None and not 0 < query.asn < 2**32:
        raise BadQuery(reason=f"{query.asn} is no AS number.")
    if query.report_id is not None and not 0 <= query.report_id < _INT64:
        raise BadQuery(reason=f"{query.report_id} is no report.")
    for port in query.source_ports:
        if not 0 <= port < 2**16:
            raise BadQuery(reason=f"{port} is no port.")
    if query.key_range is not None:
        first, last = query.key_range
        if not -_INT64 <= first <= last < _INT64:
            raise BadQuery(reason="the range of keys is none.")


def _check_times(query: EventQuery) -> None:
    for first, last in ((query.since, query.until), (query.received_since, query.received_until)):
        for moment in (first, last):
            if moment is not None and moment.tzinfo is None:
                raise BadQuery(reason="a time without its zone.")
        if first is not None and last is not None and first >= last:
            raise BadQuery(reason="its end does not come after its beginning.")


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError as wrong:
        raise BadQuery(reason=f"“{text}” is no network.") from wrong


def _ends(cidr: str) -> tuple[bytes, bytes]:
    network = _network(cidr)
    return (_sixteen(network.network_address), _sixteen(network.broadcast_address))


def _name(text: str) -> str:
    name = text.strip().rstrip(".").lower()
    try:
        name = name if name.isascii() else name.encode("idna").decode()
    except UnicodeError as wrong:
        raise BadQuery(reason=f"“{text}” is no domain name.") from wrong
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):  # noqa: PLR2004 - RFC 1035
        raise BadQuery(reason=f"“{text}” is no domain name.")
    return name


def _sixteen(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bytes:
    if isinstance(address, ipaddress.IPv4Address):
        return b"\0" * 10 + b"\xff\xff" + address.packed
    return address.packed
