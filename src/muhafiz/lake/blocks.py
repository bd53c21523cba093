"""All that matches, in order, in tables that never grow with the lake: what an export reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby

import pyarrow as pa

from muhafiz.lake import queries
from muhafiz.lake.catalogue import event_segments
from muhafiz.lake.query import EventQuery

_LEAST = timedelta(microseconds=1)
_KEYS = (-(2**63), 2**63 - 1)


def scan_blocks(
    query: EventQuery, rows: int, *, seconds: float = queries.SECONDS
) -> Iterator[pa.Table]:
    """The matching events in `query.order`, in tables of at most `rows` rows.

    A day that holds more is cut by time, a moment that holds more by key; `query.limit` and
    `query.after` are not heeded.

    Raises:
        SegmentUnreadable, QueryTooSlow, QueryTooBig, LakeBusy: as `queries.scan`.
    """
    query = replace(query, limit=None, after=None)
    for day, stored in _days(query):
        part = _within(query, day)
        for slice_ in (part,) if stored <= rows else _cut(part, rows, seconds):
            block = queries.scan(slice_, seconds=seconds)
            if block.num_rows:
                yield block


def _days(query: EventQuery) -> list[tuple[date, int]]:
    """The days that may hold an answer, in order, and how many events each holds in all."""
    found = [
        (day, sum(segment.rows for segment in group))
        for day, group in groupby(event_segments(query), key=lambda segment: segment.day)
    ]
    return found if query.order == "oldest" else found[::-1]


def _within(query: EventQuery, day: date) -> EventQuery:
    start = datetime.combine(day, time(), UTC)
    end = start + timedelta(days=1)
    since = start if query.since is None else max(query.since, start)
    until = end if query.until is None else min(query.until, end)
    return replace(query, since=since, until=until)


def _cut(query: EventQuery, rows: int, seconds: float) -> Iterator[EventQuery]:
    """The query in parts of at most `rows` events, in its order."""
    found = queries.count(query, seconds=seconds)
    if found <= rows:
        if found:
            yield query
        return
    halves = _halves(query)
    for half in halves if query.order == "oldest" else halves[::-1]:
        yield from _cut(half, rows, seconds)


def _halves(query: EventQuery) -> list[EventQuery]:
    """The span cut in two; a single moment cut by key."""
    if query.since is None or query.until is None:
        raise ValueError("Only a span with both its ends can be cut.")
    span = query.until - query.since
    if span > _LEAST:
        middle = query.since + span // 2
        return [replace(query, until=middle), replace(query, since=middle)]
    first, last = query.key_range or _KEYS
    middle_key = (first + last) // 2
    return [
        replace(query, key_range=(first, middle_key)),
        replace(query, key_range=(middle_key + 1, last)),
    ]
