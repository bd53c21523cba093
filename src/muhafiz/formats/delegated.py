"""RIR statistics files ("delegated" and "delegated-extended"), as APNIC describes them.

`registry|cc|type|start|value|date|status|opaque-id`: for asn, `value` is how many numbers follow
`start`; for ipv4, how many addresses (not always a power of two); for ipv6, the prefix length.
The version line and the summary lines say how many records there must be, so a file cut short on
its way is told from one that shrank.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

KINDS = ("ipv4", "ipv6", "asn")
#: Held by somebody; "available" and "reserved" are not.
HELD = ("allocated", "assigned")
_LEAST_FIELDS = 7
_HANDLE = 7
_END_DAY = 5  # of the version line
_SUMMARY = "summary"


class BadDelegated(ValueError):  # noqa: N818 - named for what is wrong
    """A file that is no delegated file, or not all of one."""


@dataclass(frozen=True, slots=True)
class Delegation:
    """One record."""

    line: int  # 1-based
    registry: str
    country: str  # ISO 3166, upper case; empty when unknown
    kind: str  # ipv4, ipv6, asn
    start: str
    value: int
    day: date | None
    status: str
    handle: str  # the holder's opaque id, the same for all it holds; empty in plain files


@dataclass(frozen=True, slots=True)
class DelegatedFile:
    """A whole file. `problems` are (line, why) of records that cannot be read."""

    registry: str
    day: date | None
    records: tuple[Delegation, ...]
    problems: tuple[tuple[int, str], ...]


def read_delegated(lines: Iterable[str]) -> DelegatedFile:
    """Read a file and check that it is whole.

    Raises:
        BadDelegated: no version line, or fewer records than it or its summary lines announce.
    """
    told = _content(lines)
    first = next(told, (0, []))[1]
    if len(first) < len(("version", "registry", "serial", "records")) or not _is_version(first[0]):
        raise BadDelegated("The first line is no version line of a delegated file.")
    records: list[Delegation] = []
    problems: list[tuple[int, str]] = []
    announced: dict[str, int] = {}
    for line, fields in told:
        if fields[-1] == _SUMMARY:
            announced[fields[2]] = _number(fields[4])
            continue
        try:
            records.append(_record(line, fields))
        except ValueError as error:
            problems.append((line, str(error)))
    _check_whole(_number(first[3]), announced, records, len(problems))
    day = _day(first[_END_DAY]) if len(first) > _END_DAY else None
    return DelegatedFile(first[1], day, tuple(records), tuple(problems))


def _content(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text and not text.startswith("#"):
            yield number, [field.strip() for field in text.split("|")]


def _is_version(field: str) -> bool:
    return field.replace(".", "", 1).isdigit()


def _number(field: str) -> int:
    if not field.isascii() or not field.isdigit():
        raise BadDelegated(f"“{field}” should be a count.")
    return int(field)


def _day(field: str) -> date | None:
    """YYYYMMDD; empty, 00000000 and what is no day are none."""
    try:
        return datetime.strptime(field, "%Y%m%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return None


def _record(line: int, fields: list[str]) -> Delegation:
    if len(fields) < _LEAST_FIELDS:
        raise ValueError("it has too few fields")
    registry, country, kind, start, value, day, status = fields[:_LEAST_FIELDS]
    if kind not in KINDS:
        raise ValueError(f"“{kind}” is no type of resource")
    handle = fields[_HANDLE] if len(fields) > _HANDLE else ""
    if not value.isascii() or not value.isdigit():
        raise ValueError(f"“{value}” is no count")
    record = Delegation(
        line, registry, country.upper(), kind, start, int(value), _day(day), status, handle
    )
    check = asns if kind == "asn" else networks
    check(record)
    return record


def networks(record: Delegation) -> list[str]:
    """The CIDR networks of an ipv4 or ipv6 record, in order.

    Raises:
        ValueError: its addresses make no sense.
    """
    if record.kind == "ipv6":
        return [str(ipaddress.IPv6Network((record.start, record.value)))]
    first = ipaddress.IPv4Address(record.start)
    last = int(first) + record.value - 1
    if record.value < 1 or last >= 2**ipaddress.IPV4LENGTH:
        raise ValueError(f"{record.value} addresses do not follow {record.start}")
    blocks = ipaddress.summarize_address_range(first, ipaddress.IPv4Address(last))
    return [str(block) for block in blocks]


def asns(record: Delegation) -> range:
    """The numbers of an asn record.

    Raises:
        ValueError: they make no sense.
    """
    if not record.start.isascii() or not record.start.isdigit():
        raise ValueError(f"“{record.start}” is no AS number")
    numbers = range(int(record.start), int(record.start) + record.value)
    if record.value < 1 or numbers[0] < 1 or numbers[-1] >= 2**32:
        raise ValueError("its AS numbers are out of range")
    return numbers


def _check_whole(
    total: int, announced: dict[str, int], records: list[Delegation], unread: int
) -> None:
    counted = Counter(record.kind for record in records)
    for kind, count in announced.items():
        if counted[kind] + unread < count:
            raise BadDelegated(f"It announces {count} {kind} records and holds {counted[kind]}.")
    if not announced and len(records) + unread < total:
        raise BadDelegated(f"It announces {total} records and holds {len(records)}.")
