"""Whose is what, as registries tell it: files to holdings by handle. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from muhafiz.formats import delegated, rpsl

_NETWORKS = ("inetnum", "inet6num", "route", "route6")
_PEOPLE = ("organisation", "role", "person", "irt")
_ABUSE_LINKS = ("abuse-c", "mnt-irt")
_OTHER_LINKS = ("admin-c", "tech-c")


@dataclass(frozen=True, slots=True)
class Holding:
    """A network or ASN and the handles of its holder, the most telling first."""

    handles: tuple[str, ...]
    kind: str  # address, asn
    text: str  # canonical
    day: date | None  # since when, where the registry tells


@dataclass(frozen=True, slots=True)
class Register:
    """What a registry's file says. `problems` are (line, why)."""

    holdings: tuple[Holding, ...]
    mailboxes: Mapping[str, tuple[str, ...]]  # handle → where abuse is told
    problems: tuple[tuple[int, str], ...]


def read_delegated_register(content: bytes) -> Register:
    """A RIR's delegated file.

    Raises:
        BadDelegated: it is none, or not all of one.
    """
    if not content.endswith(b"\n"):
        raise delegated.BadDelegated("Its last line has no end: it was cut short.")
    file = delegated.read_delegated(content.decode("ascii", "replace").splitlines())
    held = [one for one in file.records if one.status in delegated.HELD and one.handle]
    return Register(tuple(_delegated_holdings(held)), {}, file.problems)


def _delegated_holdings(records: Iterable[delegated.Delegation]) -> Iterator[Holding]:
    for record in records:
        handles = (record.handle.upper(),)
        if record.kind == "asn":
            for number in delegated.asns(record):
                yield Holding(handles, "asn", f"AS{number}", record.day)
        else:
            for network in delegated.networks(record):
                yield Holding(handles, "address", network, record.day)


@dataclass(slots=True)
class _Rpsl:
    """A file of registry objects as far as it was read."""

    holdings: list[Holding] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)
    people: dict[str, rpsl.RpslObject] = field(default_factory=dict)
    routes: list[tuple[rpsl.RpslObject, str]] = field(default_factory=list)
    holders: dict[str, tuple[str, ...]] = field(default_factory=dict)  # ASN → handles
    links: dict[str, list[rpsl.RpslObject]] = field(default_factory=dict)  # handle → its networks


def read_rpsl_register(content: bytes) -> Register:
    """A dump of registry objects.

    A resource's holder is named by `org:`, else by `mnt-by:`; a route without `org:` is its
    origin's. Abuse is told to the mailboxes of `abuse-c:` or `mnt-irt:`, of the organisation
    itself, else to the e-mail of its administrative and technical contacts.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    read = _Rpsl()
    for entry in rpsl.read_objects(text.splitlines()):
        try:
            _take(entry, read)
        except ValueError as error:
            read.problems.append((entry.line, f"{entry.kind} {entry.key}: {error}"))
    for entry, network in read.routes:
        origin = entry.first("origin").upper()
        handles = read.holders.get(origin, ()) or _maintainers(entry)
        read.holdings.append(Holding(handles, "address", network, _created(entry)))
    boxes = {handle: _mailboxes(handle, read) for handle in {*read.people, *read.links}}
    return Register(tuple(read.holdings), boxes, tuple(read.problems))


def _take(entry: rpsl.RpslObject, read: _Rpsl) -> None:
    if entry.kind in _PEOPLE:
        read.people[entry.first("nic-hdl").upper() or entry.key.upper()] = entry
    elif entry.kind == "aut-num":
        handles, number = _holder(entry), rpsl.asn(entry)
        read.holders[number] = handles
        read.holdings.append(Holding(handles, "asn", number, _created(entry)))
        _link(handles, entry, read)
    elif entry.kind in _NETWORKS:
        networks = rpsl.networks(entry)
        if entry.kind.startswith("route") and not entry.first("org"):
            read.routes.extend((entry, network) for network in networks)
            return
        handles = _holder(entry)
        for network in networks:
            read.holdings.append(Holding(handles, "address", network, _created(entry)))
        _link(handles, entry, read)


def _holder(entry: rpsl.RpslObject) -> tuple[str, ...]:
    organization = entry.first("org").upper()
    return (organization, *_maintainers(entry)) if organization else _maintainers(entry)


def _maintainers(entry: rpsl.RpslObject) -> tuple[str, ...]:
    return tuple(name.upper() for name in entry.all("mnt-by", "mnt-lower"))


def _link(handles: tuple[str, ...], entry: rpsl.RpslObject, read: _Rpsl) -> None:
    for handle in handles[:1]:
        read.links.setdefault(handle, []).append(entry)


def _created(entry: rpsl.RpslObject) -> date | None:
    try:
        return date.fromisoformat(entry.first("created")[:10])
    except ValueError:
        return None


def _mailboxes(handle: str, read: _Rpsl) -> tuple[str, ...]:
    own = read.people.get(handle)
    entries = [*([own] if own else []), *read.links.get(handle, ())]
    abuse = _linked(entries, _ABUSE_LINKS, read)
    others = _linked(entries, _OTHER_LINKS, read)
    told = [box for person in (*abuse, *entries) for box in person.all("abuse-mailbox")]
    told = told or [box for person in abuse for box in person.all("e-mail")]
    told = told or ([*own.all("e-mail")] if own else [])
    told = told or [box for person in others for box in person.all("abuse-mailbox", "e-mail")]
    return tuple(dict.fromkeys(told))


def _linked(
    entries: Iterable[rpsl.RpslObject], names: tuple[str, ...], read: _Rpsl
) -> list[rpsl.RpslObject]:
    links = (link.upper() for entry in entries for link in entry.all(*names))
    return [read.people[link] for link in dict.fromkeys(links) if link in read.people]
