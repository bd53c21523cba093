"""Registry objects in the Routing Policy Specification Language (RFC 2622, RFC 4012).

Blocks of `attribute: value` lines, separated by empty lines. A line that begins with white space
or "+" continues the value; "#" begins a remark within an object, "%" a remark between objects.
Only what tells whose a resource is, and whom to write to, is read out of the objects.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_ATTRIBUTE = re.compile(r"([A-Za-z][A-Za-z0-9_-]*)[ \t]*:(.*)", re.DOTALL)
_NETWORK_CLASSES = ("inetnum", "inet6num", "route", "route6")


class BadObject(ValueError):  # noqa: N818 - named for what is wrong
    """An object whose key makes no sense for its class."""


@dataclass(frozen=True, slots=True)
class RpslObject:
    """One object; its class is the name of its first attribute, its key that one's value."""

    line: int  # 1-based, where it begins
    attributes: tuple[tuple[str, str], ...]  # names in lower case, in the order they stand

    @property
    def kind(self) -> str:
        """Its class, as "inetnum", "aut-num", "organisation" or "role"."""
        return self.attributes[0][0]

    @property
    def key(self) -> str:
        """The value of its first attribute."""
        return self.attributes[0][1]

    def first(self, *names: str) -> str:
        """The first value of the first of these attributes that is there, or nothing."""
        for name in names:
            for known, value in self.attributes:
                if known == name and value:
                    return value
        return ""

    def all(self, *names: str) -> tuple[str, ...]:
        """Every value of these attributes; lists ("a, b") are taken apart."""
        return tuple(
            part.strip()
            for known, value in self.attributes
            if known in names
            for part in value.split(",")
            if part.strip()
        )


def read_objects(lines: Iterable[str]) -> Iterator[RpslObject]:
    """The objects of a file, one at a time. Lines that are no attribute are passed over."""
    attributes: list[tuple[str, str]] = []
    begun = 0
    for number, raw in enumerate(lines, 1):
        line = raw.rstrip("\r\n")
        if line.startswith("%"):
            continue
        if line.strip():
            begun = begun if attributes else number
            _take(line, attributes)
        elif attributes:
            yield RpslObject(begun, tuple(attributes))
            attributes = []
    if attributes:
        yield RpslObject(begun, tuple(attributes))


def _take(line: str, attributes: list[tuple[str, str]]) -> None:
    text = line.partition("#")[0]
    if line[0] in " \t+":
        if attributes:
            name, value = attributes[-1]
            attributes[-1] = (name, f"{value} {text[1:].strip()}".strip())
        return
    found = _ATTRIBUTE.fullmatch(text)
    if found:
        attributes.append((found.group(1).lower(), found.group(2).strip()))


def networks(entry: RpslObject) -> list[str]:
    """The CIDR networks that an inetnum, inet6num, route or route6 is about.

    Raises:
        BadObject: its key is no network, and no range "first - last" either.
    """
    if entry.kind not in _NETWORK_CLASSES:
        raise BadObject(f"a {entry.kind} is about no network")
    first, dash, last = (part.strip() for part in entry.key.partition("-"))
    try:
        if not dash:
            return [str(ipaddress.ip_network(first))]
        ends = (ipaddress.ip_address(first), ipaddress.ip_address(last))
        return [str(block) for block in _blocks(*ends)]
    except (ValueError, TypeError) as error:
        raise BadObject(str(error)) from None


def _blocks(
    first: ipaddress.IPv4Address | ipaddress.IPv6Address,
    last: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> Iterator[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    if isinstance(first, ipaddress.IPv4Address) and isinstance(last, ipaddress.IPv4Address):
        return ipaddress.summarize_address_range(first, last)
    if isinstance(first, ipaddress.IPv6Address) and isinstance(last, ipaddress.IPv6Address):
        return ipaddress.summarize_address_range(first, last)
    raise BadObject("its ends are of different kinds")


def asn(entry: RpslObject) -> str:
    """The number that an aut-num is about, as "AS64500".

    Raises:
        BadObject: its key is none.
    """
    found = re.fullmatch(r"AS([1-9][0-9]{0,9})", entry.key.upper(), re.ASCII)
    if found is None or int(found.group(1)) >= 2**32:
        raise BadObject(f"“{entry.key}” is no AS number")
    return f"AS{found.group(1)}"
