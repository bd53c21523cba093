"""From a typed query to a syntax tree, engine-neutral; an engine renders it in its own SQL.

Values enter as literals of the tree, which the renderer escapes; no SQL is pasted together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlglot import exp

from muhafiz.formats.events import STORED
from muhafiz.lake.layout import LEFT_OUT, PLACE, place_range
from muhafiz.lake.query import Cursor, EventQuery, Grouping, Step, Trait, Without, moment_of

EVENTS = "events"
RESIGHTINGS = "resightings"
WANTED = "wanted"

#: The event's time and key, by which pages are ordered; and what is filled in from its time.
READ_ALWAYS = frozenset({"time_source", "time_observation", "key", "first_seen", "last_seen"})

_GROUPS: dict[Grouping, str] = {
    "organization": "organization_id",
    "type": "classification_type",
    "network": "network",
    "feed": "feed_code",
    "asn": "source_asn",
    "sector": "sector",
    "taxonomy": "classification_taxonomy",
    "identifier": "classification_identifier",
    "severity": "severity",
    "tlp": "tlp",
    "port": "source_port",
    "address": "source_ip",
}
#: Lists of a query and of what it leaves out → the column whose values they list.
_LISTS = {
    "sectors": "sector",
    "networks": "network",
    "classification_taxonomies": "classification_taxonomy",
    "classification_types": "classification_type",
    "classification_identifiers": "classification_identifier",
    "severities": "severity",
    "feed_codes": "feed_code",
    "source_ports": "source_port",
    "protocols": "protocol_transport",
    "keys": "key",
}
_LEFT_OUT_LISTS = {**_LISTS, "organization_ids": "organization_id", "asns": "source_asn"}


def page(query: EventQuery, known: Mapping[str, Any] = MappingProxyType({})) -> exp.Select:
    """The rows of one page, in order; `layout.stored` gives them the columns of `events.STORED`.

    Columns of the files that are in `known`, column → its value in all rows, are not read.
    """
    descending = query.order == "newest"
    names = [name for name in STORED.names if name != LEFT_OUT]
    outputs = [_output(name, known) for name in names if name in READ_ALWAYS or name not in known]
    found = _filtered(query).select(*outputs)
    found = found.order_by(
        exp.Ordered(this=_time(), desc=descending),
        exp.Ordered(this=exp.column("key"), desc=descending),
    )
    return found if query.limit is None else found.limit(query.limit)


def number(query: EventQuery) -> exp.Select:
    """How many events (column `events`)."""
    return _filtered(query).select(_count())


def ranking(query: EventQuery, by: Grouping, limit: int | None = None) -> exp.Select:
    """Events per value (columns `value`, `events`): the `limit` first, or all in no order."""
    column = exp.column(_GROUPS[by])
    found = _filtered(query).select(exp.alias_(column, "value"), _count()).group_by(column.copy())
    if limit is None:
        return found
    return found.order_by(
        exp.Ordered(this=exp.column("events"), desc=True),
        exp.Ordered(this=exp.column("value"), desc=False, nulls_first=False),
    ).limit(limit)


def over_time(query: EventQuery, step: Step, bands: Grouping) -> exp.Select:
    """Events per hour or day and value (columns `start`, `value`, `events`), in no order."""
    hour = exp.TimestampTrunc(this=_time(), unit=exp.var("HOUR"))
    start: exp.Expr = hour if step == "hour" else exp.column("day")
    value = exp.column(_GROUPS[bands])
    found = _filtered(query).select(exp.alias_(start, "start"), exp.alias_(value, "value"))
    return found.select(_count()).group_by(start.copy(), value.copy())


def sightings_of(key: int) -> exp.Select:
    """The re-sightings of one event: report, first and last seen, how often."""
    names = ("report_id", "first_seen", "last_seen", "sightings")
    mine = exp.EQ(this=exp.column("key"), expression=exp.convert(key))
    return exp.select(*(exp.column(n) for n in names)).from_(exp.to_table(RESIGHTINGS)).where(mine)


def tally(query: EventQuery, by: Sequence[Trait]) -> exp.Select:
    """Events and distinct owners per combination (columns `by`, `events`, `organizations`)."""
    owners = exp.Count(this=exp.Distinct(expressions=[exp.column("organization_id")]))
    columns = [exp.column(name) for name in by]
    found = _filtered(query).select(*columns, _count(), exp.alias_(owners, "organizations"))
    return found.group_by(*(column.copy() for column in columns)) if by else found


def daily(query: EventQuery) -> exp.Select:
    """Events per day and classification type (columns `day`, `classification_type`, `events`)."""
    columns = [exp.column("day"), exp.column("classification_type")]
    return (
        _filtered(query).select(*columns, _count()).group_by(*(column.copy() for column in columns))
    )


def further_sightings() -> exp.Select:
    """Merged re-sightings of the keys in the table `wanted`."""
    return (
        exp.select(
            exp.column("key"),
            exp.alias_(exp.Min(this=exp.column("first_seen")), "first_seen"),
            exp.alias_(exp.Max(this=exp.column("last_seen")), "last_seen"),
            exp.alias_(
                exp.cast(exp.Sum(this=exp.column("sightings")), exp.DataType.Type.BIGINT),
                "sightings",
            ),
        )
        .from_(exp.to_table(RESIGHTINGS))
        .where(exp.column("key").isin(query=exp.select("key").from_(exp.to_table(WANTED))))
        .group_by(exp.column("key"))
    )


def _count() -> exp.Expr:
    return exp.alias_(exp.Count(this=exp.Star()), "events")


def _time() -> exp.Expr:
    return exp.Coalesce(
        this=exp.column("time_source"), expressions=[exp.column("time_observation")]
    )


def _output(name: str, known: Mapping[str, Any]) -> exp.Expr:
    """A stored column; what the file leaves out (see `layout`) is filled in."""
    if name not in {"first_seen", "last_seen"}:
        return exp.column(name)
    if name in known and known[name] is None:
        return exp.alias_(_time(), name)
    given = [exp.column("time_source"), exp.column("time_observation")]
    return exp.alias_(exp.Coalesce(this=exp.column(name), expressions=given), name)


def _filtered(query: EventQuery) -> exp.Select:
    found = exp.select().from_(exp.to_table(EVENTS))
    conditions = [
        *_owner(query),
        *_address(query),
        *_destination(query),
        *_suffix(query),
        *_listed(query),
        *_left_out(query.without),
        *_times(query),
        *_after(query),
    ]
    return found.where(*conditions) if conditions else found


def _owner(query: EventQuery) -> list[exp.Expr]:
    owner = exp.column("organization_id")
    ways: list[exp.Expr] = []
    if query.organization_ids:
        ways.append(_in(owner, query.organization_ids))
    if query.nobody:
        ways.append(owner.copy().is_(exp.null()))
    return [exp.or_(*ways)] if ways else []


def _address(query: EventQuery) -> list[exp.Expr]:
    span = query.address_range()
    if span is None:
        return []
    column = exp.column("source_address")
    first, last = (exp.Unhex(this=exp.Literal.string(end.hex())) for end in span)
    exact: list[exp.Expr] = [
        exp.GTE(this=column, expression=first),
        exp.LTE(this=column.copy(), expression=last),
    ]
    places = place_range(*span)
    if places is None:
        return exact
    place = exp.column(PLACE)
    return [
        exp.GTE(this=place, expression=exp.convert(places[0])),
        exp.LTE(this=place.copy(), expression=exp.convert(places[1])),
        *exact,
    ]


def _suffix(query: EventQuery) -> list[exp.Expr]:
    """The name itself, or anything that begins with it and a dot ("/" follows "." in ASCII)."""
    name = query.suffix_reversed()
    if name is None:
        return []
    column = exp.column("source_fqdn_reversed")
    return [
        exp.GTE(this=column, expression=exp.Literal.string(name)),
        exp.LT(this=column.copy(), expression=exp.Literal.string(name + "/")),
        exp.or_(
            exp.EQ(this=column.copy(), expression=exp.Literal.string(name)),
            exp.GTE(this=column.copy(), expression=exp.Literal.string(name + ".")),
        ),
    ]


def _listed(query: EventQuery) -> list[exp.Expr]:
    found: list[exp.Expr] = [
        _in(exp.column(column), getattr(query, name))
        for name, column in _LISTS.items()
        if getattr(query, name)
    ]
    if query.key_range is not None:
        first, last = (exp.convert(end) for end in query.key_range)
        key = exp.column("key")
        found += [exp.GTE(this=key, expression=first), exp.LTE(this=key.copy(), expression=last)]
    for name, value in (("source_asn", query.asn), ("report_id", query.report_id)):
        if value is not None:
            found.append(exp.EQ(this=exp.column(name), expression=exp.convert(value)))
    return found


def _left_out(without: Without) -> list[exp.Expr]:
    """What is left out; a row that has no value stays."""
    found: list[exp.Expr] = []
    for name, column in _LEFT_OUT_LISTS.items():
        values: frozenset[Any] = getattr(without, name, frozenset())
        if values:
            listed = exp.not_(exp.paren(_in(exp.column(column), values)))
            found.append(exp.or_(exp.column(column).is_(exp.null()), listed))
    if without.nobody:
        found.append(exp.not_(exp.column("organization_id").is_(exp.null())))
    return found


def _destination(query: EventQuery) -> list[exp.Expr]:
    span = query.destination_range()
    if span is None:
        return []
    column = exp.column("destination_address")
    first, last = (exp.Unhex(this=exp.Literal.string(end.hex())) for end in span)
    return [
        exp.GTE(this=column, expression=first),
        exp.LTE(this=column.copy(), expression=last),
    ]


def _times(query: EventQuery) -> list[exp.Expr]:
    observed = exp.column("time_observation")
    found: list[exp.Expr] = []
    for column, first, last in (
        (_time(), query.since, query.until),
        (observed, query.received_since, query.received_until),
    ):
        if first is not None:
            found.append(exp.GTE(this=column.copy(), expression=_moment(first)))
        if last is not None:
            found.append(exp.LT(this=column.copy(), expression=_moment(last)))
    return found


def _after(query: EventQuery) -> list[exp.Expr]:
    """What follows the page before: by time, and by key at the same time."""
    if query.after is None:
        return []
    cursor = Cursor.read(query.after)
    follows: type[exp.Binary] = exp.LT if query.order == "newest" else exp.GT
    moment = _moment(moment_of(cursor.time_us))
    same = exp.and_(
        exp.EQ(this=_time(), expression=moment),
        follows(this=exp.column("key"), expression=exp.convert(cursor.key)),
    )
    return [exp.or_(follows(this=_time(), expression=moment.copy()), same)]


def _in(column: exp.Expr, values: frozenset[Any]) -> exp.Expr:
    literals = [exp.convert(value) for value in sorted(values)]
    if len(literals) == 1:
        return exp.EQ(this=column, expression=literals[0])
    return exp.In(this=column, expressions=literals)


def _moment(moment: datetime) -> exp.Expr:
    return exp.cast(exp.Literal.string(moment.isoformat()), exp.DataType.Type.TIMESTAMPTZ)
