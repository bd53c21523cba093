"""From a typed query to a syntax tree, engine-neutral; an engine renders it in its own SQL.

Values enter as literals of the tree, which the renderer escapes; no SQL is pasted together.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlglot import exp

from muhafiz.formats.events import STORED
from muhafiz.lake.layout import LEFT_OUT, PLACE, place_range
from muhafiz.lake.query import Cursor, EventQuery, Grouping, moment_of

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
}


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


def ranking(query: EventQuery, by: Grouping) -> exp.Select:
    """Events per value (columns `value`, `events`), in no order."""
    column = exp.column(_GROUPS[by])
    return _filtered(query).select(exp.alias_(column, "value"), _count()).group_by(column.copy())


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
        *_suffix(query),
        *_listed(query),
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
    found: list[exp.Expr] = []
    for name, values in (
        ("classification_type", query.classification_types),
        ("feed_code", query.feed_codes),
        ("key", query.keys),
    ):
        if values:
            found.append(_in(exp.column(name), values))
    for name, value in (("source_asn", query.asn), ("report_id", query.report_id)):
        if value is not None:
            found.append(exp.EQ(this=exp.column(name), expression=exp.convert(value)))
    return found


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
