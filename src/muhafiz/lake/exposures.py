"""The lake grouped by standing problem: one owner, one class, one identifier.

Grouping happens in the engine, by columns; what comes back is one row per group, never per event.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import pyarrow as pa
import sqlglot
from sqlglot import exp

from muhafiz.lake import compilation
from muhafiz.lake.catalogue import check_asker, event_segments, files_of, resighting_segments
from muhafiz.lake.engines.choice import chosen
from muhafiz.lake.models import Day
from muhafiz.lake.query import MAX_LISTED, EventQuery
from muhafiz.tenancy.current import beyond_tenant

JOB_SECONDS = 600.0  # nobody waits at a screen for a gathering
SCREEN_SECONDS = 30.0
SEVERITIES = ("info", "low", "medium", "high", "critical")  # from the mildest to the worst

_SEVERITY, _LABEL = exp.column("severity"), exp.column("tlp")


def _parsed(sql: str) -> exp.Expr:
    """A constant of this module as a tree."""
    return sqlglot.parse_one(sql, read="duckdb")


_TURNED = "array_to_string(array_reverse(string_split(source_fqdn_reversed, '.')), '.')"
#: What an owner has to mend: an account, a service (where the class is "vulnerable"), a machine,
#: a name. A machine's source port changes with every connection, so it counts for services only.
#: In SQL over the columns of `formats.events.STORED`.
ASSET_SQL = (
    "CASE WHEN source_account IS NOT NULL THEN source_account "
    "WHEN source_ip IS NOT NULL THEN CASE "
    "WHEN classification_taxonomy = 'vulnerable' AND source_port IS NOT NULL "
    "THEN CASE WHEN contains(source_ip, ':') THEN '[' || source_ip || ']' ELSE source_ip END "
    "|| ':' || CAST(source_port AS VARCHAR) ELSE source_ip END "
    "ELSE coalesce(source_fqdn, source_url, '') END"
)
_ASSET = _parsed(ASSET_SQL.replace("source_fqdn", _TURNED))
_NAME = _parsed(_TURNED)
_KIND = _parsed("left(coalesce(classification_type, ''), 60)")
_NAMED = _parsed("left(coalesce(classification_identifier, ''), 200)")
_SEEN_FIRST = _parsed("least(coalesce(first_seen, time_source, time_observation), seen_first)")
_SEEN_LAST = _parsed("greatest(coalesce(last_seen, time_source, time_observation), seen_last)")
_FIRST = _parsed("coalesce(first_seen, time_source, time_observation)")
_LAST = _parsed("coalesce(last_seen, time_source, time_observation)")
_AGAIN = _parsed(
    "SELECT key, min(first_seen) AS seen_first, max(last_seen) AS seen_last, "
    "sum(sightings) AS seen_times FROM resightings GROUP BY key"
)


@dataclass(frozen=True, slots=True)
class DayMark:
    """How far a day has come: `version` grows with each append, `epoch` when events leave it."""

    version: int
    epoch: int


def day_marks() -> dict[date, DayMark]:
    """Every UTC day that has events, and how far it has come."""
    rows = Day.objects.order_by("day").values_list("day", "version", "epoch")
    return {day: DayMark(version, epoch) for day, version, epoch in rows}


def whole_day(day: date, owners: frozenset[int] = frozenset()) -> EventQuery:
    """The question for one UTC day."""
    start = datetime.combine(day, time(), UTC)
    return EventQuery(
        organization_ids=owners, since=start, until=start + timedelta(days=1), limit=None
    )


def labels(query: EventQuery, *, seconds: float = JOB_SECONDS) -> frozenset[str]:
    """The TLP labels that occur, as their sources wrote them; a missing one is not named."""
    question = compilation.number(query).select(_LABEL.copy(), append=False).distinct()
    found = _ask(question, query, seconds)
    return frozenset(found["tlp"].drop_null().to_pylist()) if found is not None else frozenset()


def problems(
    query: EventQuery, allowed: Collection[str], *, seconds: float = JOB_SECONDS
) -> pa.Table:
    """Owned events with an allowed label by problem.

    Columns: organization_id, taxonomy, type, identifier (empty: none), events, assets (distinct),
    first_seen, last_seen, rank (the worst severity's place in `SEVERITIES`; -1: unknown), tlp
    (a list of the labels that occur). Sorted by organization, type, identifier.
    """
    question = (
        compilation.number(query)
        .select(
            exp.column("organization_id"),
            exp.alias_(exp.Max(this=exp.column("classification_taxonomy")), "taxonomy"),
            exp.alias_(_KIND.copy(), "type"),
            exp.alias_(_NAMED.copy(), "identifier"),
            exp.alias_(exp.Count(this=exp.Star()), "events"),
            exp.alias_(_distinct_assets(), "assets"),
            exp.alias_(exp.Min(this=_SEEN_FIRST.copy()), "first_seen"),
            exp.alias_(exp.Max(this=_SEEN_LAST.copy()), "last_seen"),
            exp.alias_(exp.Max(this=_rank()), "rank"),
            exp.alias_(_parsed("list(DISTINCT tlp)"), "tlp"),
            append=False,
        )
        .where(exp.column("organization_id").is_(exp.null()).not_(), _labelled(allowed))
        .group_by("1", "3", "4")
        .order_by("1", "3", "4")
    )
    found = _ask(question, query, seconds)
    return _PROBLEMS.empty_table() if found is None else found.cast(_PROBLEMS)


def assets(
    query: EventQuery,
    allowed: Collection[str],
    *,
    identifiers: Collection[str] = (),
    limit: int | None = None,
    seconds: float = SCREEN_SECONDS,
) -> pa.Table:
    """The things to mend, the last seen first; columns of `ASSETS`.

    `identifiers` narrows to these (an empty text: without one); no identifiers: all.
    """
    plain = [exp.column(name) for name in ("organization_id",)]
    question = (
        compilation.number(query)
        .select(
            *plain,
            exp.alias_(_KIND.copy(), "type"),
            exp.alias_(_NAMED.copy(), "identifier"),
            exp.alias_(_ASSET.copy(), "asset"),
            _parsed("max(source_ip) AS address"),
            exp.alias_(exp.Max(this=_NAME.copy()), "name"),
            _parsed("max(source_port) AS port"),
            _parsed("count(DISTINCT source_port) AS ports"),
            _parsed("max(protocol_transport) AS protocol"),
            _parsed("max(network) AS network"),
            _parsed("max(network_id) AS network_id"),
            _parsed("max(malware_name) AS malware"),
            exp.alias_(exp.Count(this=exp.Star()), "events"),
            exp.alias_(exp.Min(this=_SEEN_FIRST.copy()), "first_seen"),
            exp.alias_(exp.Max(this=_SEEN_LAST.copy()), "last_seen"),
            exp.alias_(exp.Max(this=_rank()), "rank"),
            append=False,
        )
        .where(exp.column("organization_id").is_(exp.null()).not_(), _labelled(allowed))
        .group_by("1", "2", "3", "4")
        .order_by(exp.Ordered(this=exp.column("last_seen"), desc=True), exp.column("asset"))
    )
    if identifiers:
        question = question.where(_identified(identifiers))
    if limit is not None:
        question = question.limit(limit)
    found = _ask(question, query, seconds)
    return ASSETS.empty_table() if found is None else found.cast(ASSETS)


_MOMENT = pa.timestamp("us", tz="UTC")
_PROBLEMS = pa.schema(
    [
        ("organization_id", pa.int64()),
        ("taxonomy", pa.string()),
        ("type", pa.string()),
        ("identifier", pa.string()),
        ("events", pa.int64()),
        ("assets", pa.int64()),
        ("first_seen", _MOMENT),
        ("last_seen", _MOMENT),
        ("rank", pa.int32()),
        ("tlp", pa.list_(pa.string())),
    ]
)
ASSETS = pa.schema(
    [
        ("organization_id", pa.int64()),
        ("type", pa.string()),
        ("identifier", pa.string()),
        ("asset", pa.string()),
        ("address", pa.string()),
        ("name", pa.string()),
        ("port", pa.int64()),
        ("ports", pa.int64()),
        ("protocol", pa.string()),
        ("network", pa.string()),
        ("network_id", pa.int64()),
        ("malware", pa.string()),
        ("events", pa.int64()),
        ("first_seen", _MOMENT),
        ("last_seen", _MOMENT),
        ("rank", pa.int32()),
    ]
)


def _distinct_assets() -> exp.Expr:
    return exp.Count(this=exp.Distinct(expressions=[_ASSET.copy()]))


def _rank() -> exp.Expr:
    ranks = exp.Case(default=exp.convert(-1))
    for place, name in enumerate(SEVERITIES):
        same = exp.EQ(this=_SEVERITY.copy(), expression=exp.Literal.string(name))
        ranks = ranks.when(same, exp.convert(place))
    return ranks


def _labelled(allowed: Collection[str]) -> exp.Expr:
    """Holds for no row when nothing is allowed."""
    if not allowed:
        return exp.false()
    return _LABEL.copy().isin(*sorted(allowed))


def _identified(identifiers: Collection[str]) -> exp.Expr:
    return _NAMED.copy().isin(*sorted(identifiers))


def _ask(asked: exp.Select, query: EventQuery, seconds: float) -> pa.Table | None:
    """The answer over the segments that may hold one; None when there are none.

    Raises:
        NotAllowedToConstituents: a tenant asks about others than itself.
    """
    check_asker(query)
    timed = asked.find(exp.Least) is not None
    with beyond_tenant("which files hold the events; the question names one's own alone"):
        segments = event_segments(query)
        days = {segment.day for segment in segments}
        again = resighting_segments(days) if timed else []
    if not segments:
        return None
    files = {compilation.EVENTS: files_of(segments)}
    if again:
        files[compilation.RESIGHTINGS] = files_of(again)
        question: exp.Expr = asked.join(
            exp.Subquery(this=_AGAIN.copy(), alias=exp.TableAlias(this=exp.to_identifier("again"))),
            using=["key"],
            join_type="left",
        )
    else:
        question = asked.transform(_without_again)
    return chosen().run(question, files, {}, seconds=seconds)


def _without_again(node: exp.Expr) -> exp.Expr:
    """Take the event's own times where nothing was seen again."""
    if node == _SEEN_FIRST:
        return _FIRST.copy()
    return _LAST.copy() if node == _SEEN_LAST else node


def owners_in_portions(counted: Iterable[tuple[int, int]], most: int) -> list[frozenset[int]]:
    """Owners (id, events) in lots of about `most` events, each of which one question may name."""
    portions: list[set[int]] = []
    held = most
    for owner, events in counted:
        if held + events > most or len(portions[-1]) >= MAX_LISTED:
            portions.append(set())
            held = 0
        portions[-1].add(owner)
        held += events
    return [frozenset(portion) for portion in portions]
