"""Reading the lake: pages, counts, rankings, series, one event. Every event counts once."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Any

import pyarrow as pa
from django.db.models import Count, Max, Q, Sum
from sqlglot import exp

from muhafiz.formats.events import STORED
from muhafiz.lake import compilation
from muhafiz.lake.answers import (
    Counted,
    DayCount,
    DayVolume,
    Event,
    Point,
    Sighting,
    Tallied,
)
from muhafiz.lake.catalogue import event_segments, files_of, resighting_segments
from muhafiz.lake.engines.choice import chosen
from muhafiz.lake.facts import add_counts
from muhafiz.lake.footers import single_values
from muhafiz.lake.layout import stored
from muhafiz.lake.models import Receipt, Segment, SegmentKind
from muhafiz.lake.query import Cursor, EventQuery, Grouping, Step, Trait, microseconds, moment_of
from muhafiz.lake.refusals import LakeBusy
from muhafiz.lake.sighting_merge import merged_sightings

SECONDS = 30.0  # a query's time limit unless told otherwise
WIDE_ROWS = 1_000_000  # a query that may read more is wide
_FIRST_DAYS = 4  # a page looks at so many days, then at 32 times as many, and so on
_GROWTH = 32

_wide = threading.BoundedSemaphore(max(2, os.cpu_count() or 1))


def scan(query: EventQuery, *, seconds: float = SECONDS) -> pa.Table:
    """The matching events, one row each, columns of `events.STORED`, sightings merged.

    At most `query.limit` rows, in `query.order`; `next_cursor` gives the following page.

    Raises:
        SegmentUnreadable: a file that may hold an answer is missing or damaged.
        QueryTooSlow, QueryTooBig, LakeBusy: limits of time, memory and concurrency.
    """
    if query.limit is None:
        return _together(list(scan_days(query, seconds=seconds)))
    found: list[pa.Table] = []
    missing = query.limit
    for days in _growing(_days_in_order(query)):
        part = _page(replace(query, limit=missing), days, seconds)
        found.append(part)
        missing -= part.num_rows
        if not missing:
            break
    return _together(found)


def scan_days(query: EventQuery, *, seconds: float = SECONDS) -> Iterator[pa.Table]:
    """All matching events, one table per UTC day that has any; `query.limit` is not heeded."""
    for segments in _days_in_order(query):
        part = _page(replace(query, limit=None), segments, seconds)
        if part.num_rows:
            yield part


def next_cursor(page: pa.Table) -> str | None:
    """What `EventQuery.after` takes for the rows that follow this page; None after an empty one."""
    if not page.num_rows:
        return None
    last = page.slice(page.num_rows - 1).to_pylist()[0]
    moment = last["time_source"] or last["time_observation"]
    return Cursor(microseconds(moment), last["key"]).text()


def count(query: EventQuery, *, seconds: float = SECONDS) -> int:
    """How many events match; order, limit and cursor are not heeded."""
    query = _unpaged(query)
    whole, parts = _split(query, by_class=True)
    total = sum(sum(_classes(segment, query).values()) for segment in whole)
    if parts:
        total += _ask(compilation.number(query), parts, seconds)["events"][0].as_py()
    return total


def top(
    query: EventQuery, by: Grouping, limit: int = 20, *, seconds: float = SECONDS
) -> list[Counted]:
    """The values with the most events, most first; equal counts in the order of the values."""
    query = _unpaged(query)
    counts: Counter[int | str | None] = Counter()
    whole: list[Segment] = []
    parts = event_segments(query)
    if by in {"organization", "type"}:
        whole, parts = _split(query, by_class=by == "type")
    if by == "type":
        for segment in whole:
            counts.update({name or None: n for name, n in _classes(segment, query).items()})
    elif whole:
        counts.update(_owners(whole))
    if parts:
        most = None if whole else limit  # what is added up must be told whole
        answer = _ask(compilation.ranking(query, by, most), parts, seconds)
        for value, events in zip(*(answer[name].to_pylist() for name in ("value", "events"))):  # noqa: B905 - columns of one table
            counts[value] += events
    ranked = sorted(counts.items(), key=lambda each: (-each[1], each[0] is None, each[0] or 0))
    return [Counted(value, events) for value, events in ranked[:limit]]


def tally(query: EventQuery, by: Sequence[Trait], *, seconds: float = SECONDS) -> list[Tallied]:
    """Events and distinct owners per combination of traits, in the order of the values.

    No traits: one line for all that match. Order, limit and cursor are not heeded.
    """
    segments = event_segments(query := _unpaged(query))
    if not segments:
        return [] if by else [Tallied((), 0, 0)]
    lines = [
        Tallied(tuple(line[name] for name in by), line["events"], line["organizations"])
        for line in _ask(compilation.tally(query, by), segments, seconds).to_pylist()
    ]
    return sorted(lines, key=lambda line: [(v is None, v or 0) for v in line.values])


def series(query: EventQuery, *, seconds: float = SECONDS) -> list[DayCount]:
    """Events per UTC day and classification type, oldest first; days without events are absent."""
    query = _unpaged(query)
    whole, parts = _split(query, by_class=True)
    counts: Counter[tuple[date, str | None]] = Counter()
    for segment in whole:
        for name, events in _classes(segment, query).items():
            counts[segment.day, name or None] += events
    if parts:
        for line in _ask(compilation.daily(query), parts, seconds).to_pylist():
            counts[line["day"], line["classification_type"]] += line["events"]
    ordered = sorted(counts.items(), key=lambda each: (each[0][0], each[0][1] or ""))
    return [DayCount(day, kind, events) for (day, kind), events in ordered]


def trend(
    query: EventQuery, *, step: Step = "day", bands: Grouping = "type", seconds: float = SECONDS
) -> list[Point]:
    """Events per UTC hour or day and value, oldest first; where there are none, nothing stands."""
    query = _unpaged(query)
    if step == "day" and bands == "type":
        return [
            Point(datetime.combine(each.day, time(), UTC), each.classification_type, each.events)
            for each in series(query, seconds=seconds)
        ]
    segments = event_segments(query)
    if not segments:
        return []
    answer = _ask(compilation.over_time(query, step, bands), segments, seconds).to_pylist()
    points = [Point(_moment(line["start"]), line["value"], line["events"]) for line in answer]
    return sorted(points, key=lambda each: (each.start, each.value is None, each.value or 0))


def sightings(key: int, day: date, *, seconds: float = SECONDS) -> list[Sighting]:
    """What reports told of an event after it was stored; nothing once that is folded into it."""
    further = resighting_segments([day])
    if not further:
        return []
    files = {compilation.RESIGHTINGS: files_of(further)}
    with _place_for(further):
        found = chosen().run(compilation.sightings_of(key), files, {}, seconds=seconds)
    return sorted((Sighting(**line) for line in found.to_pylist()), key=lambda s: s.first_seen)


def event(key: int, day: date, *, seconds: float = SECONDS) -> Event | None:
    """One event by its key and UTC day, all its sightings merged; None when there is none."""
    start = datetime.combine(day, time(), UTC)
    query = EventQuery(keys=frozenset({key}), since=start, until=start + timedelta(days=1), limit=1)
    rows = scan(query, seconds=seconds).to_pylist()
    if not rows:
        return None
    row = rows[0]
    return Event(
        key=key,
        day=row["day"],
        first_seen=row["first_seen"],
        last_seen=row["last_seen"],
        sightings=row["sightings"],
        columns=row,
    )


def try_engine(*, seconds: float = SECONDS) -> None:
    """Have the engine read the newest file, so that what keeps it from answering is told.

    Raises:
        EngineMissing, EngineUnreachable, EngineFailed: the distributed engine's faults.
        SegmentUnreadable: the newest file is missing or damaged.
    """
    newest = Segment.objects.filter(retired_at=None, kind=SegmentKind.EVENTS).order_by("-id")[:1]
    if newest:
        _ask(compilation.number(EventQuery()), list(newest), seconds)
    else:
        chosen().run(exp.select(exp.convert(1)), {}, {}, seconds=seconds)


def volumes(*, since: date | None = None) -> list[DayVolume]:
    """What each day takes, newest first."""
    live = Segment.objects.filter(retired_at=None)
    if since is not None:
        live = live.filter(day__gte=since)
    is_event = Q(kind=SegmentKind.EVENTS)
    lines = live.values("day").annotate(
        segments=Count("id"),
        events=Sum("rows", filter=is_event, default=0),
        resightings=Sum("rows", filter=~is_event & Q(folded=False), default=0),
        size_bytes=Sum("size_bytes", default=0),
    )
    return [DayVolume(**line) for line in lines.order_by("-day")]


def last_append(first: date, last: date) -> datetime | None:
    """When rows about these UTC days were last taken in; None when none lie there as they came."""
    as_they_came = Segment.objects.filter(day__range=(first, last), generation=0)
    found: datetime | None = as_they_came.aggregate(at=Max("created_at"))["at"]
    return found


def accepted_by_report() -> dict[int, int]:
    """Report id → its rows that the lake acknowledged, whatever became of them later.

    What a feed says it handed over is held against this.
    """
    return dict(Receipt.objects.values_list("report_id").annotate(rows_in_all=Sum("rows")))


def _unpaged(query: EventQuery) -> EventQuery:
    return replace(query, limit=None, after=None)


def _moment(start: datetime | date) -> datetime:
    if isinstance(start, datetime):
        return start.astimezone(UTC)
    return datetime.combine(start, time(), UTC)


def _days_in_order(query: EventQuery) -> list[list[Segment]]:
    """Segments by day, the day that comes first in the query's order first."""
    segments = event_segments(query)
    if query.after is not None:
        reached = moment_of(Cursor.read(query.after).time_us).date()
        newest = query.order == "newest"
        segments = [s for s in segments if (s.day <= reached if newest else s.day >= reached)]
    days = [list(group) for _, group in groupby(segments, key=lambda segment: segment.day)]
    return days if query.order == "oldest" else days[::-1]


def _growing(days: list[list[Segment]]) -> Iterator[list[Segment]]:
    """Few days first: a page is often full after them."""
    start, step = 0, _FIRST_DAYS
    while start < len(days):
        yield [segment for day in days[start : start + step] for segment in day]
        start, step = start + step, step * _GROWTH


def _page(query: EventQuery, segments: list[Segment], seconds: float) -> pa.Table:
    known = single_values(files_of(segments))
    page = stored(_filled(_ask(compilation.page(query, known), segments, seconds), known))
    if not page.num_rows:
        return page
    further = resighting_segments(page["day"].unique().to_pylist())
    if not further:
        return page
    files = {compilation.RESIGHTINGS: files_of(further)}
    tables = {compilation.WANTED: page.select(["key"])}
    with _place_for(further):
        seen = chosen().run(compilation.further_sightings(), files, tables, seconds=seconds)
    return merged_sightings(page, seen)


def _filled(page: pa.Table, known: Mapping[str, Any]) -> pa.Table:
    """The page with the columns that were not read, as they are in all rows."""
    for field in STORED:
        if field.name in known and field.name not in page.column_names:
            value = pa.scalar(known[field.name], field.type)
            page = page.append_column(field, pa.repeat(value, page.num_rows))
    return page


def _together(parts: list[pa.Table]) -> pa.Table:
    return pa.concat_tables(parts) if parts else STORED.empty_table()


def _ask(question: exp.Expr, segments: list[Segment], seconds: float) -> pa.Table:
    files = {compilation.EVENTS: files_of(segments)}
    with _place_for(segments):
        return chosen().run(question, files, {}, seconds=seconds)


@contextmanager
def _place_for(segments: list[Segment]) -> Iterator[None]:
    """Let few wide questions run at once, however many are asked.

    Raises:
        LakeBusy: no place became free in time.
    """
    if sum(segment.rows for segment in segments) < WIDE_ROWS:
        yield
        return
    if not _wide.acquire(timeout=SECONDS):
        raise LakeBusy
    try:
        yield
    finally:
        _wide.release()


def _split(query: EventQuery, *, by_class: bool) -> tuple[list[Segment], list[Segment]]:
    """Segments answered by their counts alone, and those that must be read.

    Counts serve when nothing but time (and, by class, the type) is asked, and the segment lies
    wholly within the time.
    """
    segments = event_segments(query, with_counts=True)
    bare = EventQuery(
        since=query.since,
        until=query.until,
        classification_types=query.classification_types if by_class else frozenset(),
        order=query.order,
        limit=None,
    )
    if query != bare:
        return [], segments
    whole = [segment for segment in segments if _lies_within(segment, query)]
    chosen = {segment.pk for segment in whole}
    return whole, [segment for segment in segments if segment.pk not in chosen]


def _lies_within(segment: Segment, query: EventQuery) -> bool:
    if segment.time_min is None or segment.time_max is None:
        return False
    return (query.since is None or segment.time_min >= query.since) and (
        query.until is None or segment.time_max < query.until
    )


def _classes(segment: Segment, query: EventQuery) -> Mapping[str, int]:
    counts = segment.classes()
    if not query.classification_types:
        return counts
    return {name: counts[name] for name in query.classification_types if name in counts}


def _owners(segments: list[Segment]) -> Counter[int | str | None]:
    """Events per organization of whole segments; None: owned by nobody."""
    blocks = [bytes(s.organization_counts) for s in segments if s.organization_counts]
    owned: Counter[int | str | None] = Counter()
    owned.update(add_counts(blocks))
    nobody = sum(segment.rows for segment in segments) - owned.total()
    if nobody:
        owned[None] = nobody
    return owned
