"""What has newly come into the lake, in the order in which it was committed.

An event that arrives late (its source time is old, its report was processed after the window
closed, or a row set aside was replayed months later) must still be told exactly once. So nothing
here goes by the events' times. The lake records each append as an audit entry within the append's
own transaction; the audit log's lock is held until that transaction commits, so the entries' index
is a total order of commits without gaps behind the newest one visible. An automatic row id would
not do: on PostgreSQL a smaller id can become visible after a larger one.

Gathering remembers the last index it has seen. Of a report that was already partly gathered, it
leaves out the events (keys) that earlier gatherings took; an event belongs, for ever, to the
report that brought it first.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from muhafiz.audit.queries import entries
from muhafiz.lake.queries import count, scan_days, top
from muhafiz.lake.query import EventQuery

_ACTION = "lake.append_batch"
_PAGE = 100
_ROWS = 300_000  # events read at a time
_OWNERS = 20_000  # organizations named in one query
_SECONDS = 600.0  # nobody waits at a screen for this


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Reports with newly appended events, and the last audit index that was looked at."""

    reports: tuple[int, ...]
    upto: int


def arrivals_after(position: int) -> Arrivals:
    """The reports that appended events after an audit index, oldest first."""
    found: dict[int, None] = {}
    upto, before = position, None
    while True:
        page = entries(action=_ACTION, before=before, limit=_PAGE)
        for entry in page:
            if entry.index <= position:
                return Arrivals(tuple(reversed(found)), upto)
            upto = max(upto, entry.index)
            if json.loads(entry.details)["new_events"]:
                found[int(entry.subject.partition(":")[2])] = None
        if len(page) < _PAGE:
            return Arrivals(tuple(reversed(found)), upto)
        before = page[-1].index


def events_of(query: EventQuery, known_keys: pa.ChunkedArray | None = None) -> Iterator[pa.Table]:
    """The owned events that a query finds, but for those of known keys, some owners at a time.

    A single organization's events of one day are held at once, however many they are.
    """
    for owners in _portions(query):
        chosen = EventQuery(
            report_id=query.report_id,
            received_since=query.received_since,
            received_until=query.received_until,
            organization_ids=frozenset(owners),  # none: a small question is asked whole
            limit=None,
            order="oldest",
        )
        for events in scan_days(chosen, seconds=_SECONDS):
            if known_keys is None or len(known_keys) == 0:
                yield events
            else:
                yield events.filter(pc.invert(pc.is_in(events["key"], known_keys)))


def _portions(query: EventQuery) -> Iterator[list[int]]:
    """Organizations with events, in portions of about `_ROWS` events; an empty one means all."""
    if count(query, seconds=_SECONDS) <= _ROWS:
        yield []
        return
    counted = top(query, "organization", limit=10**9, seconds=_SECONDS)
    sizes = sorted((int(line.value), line.events) for line in counted if line.value is not None)
    portion: list[int] = []
    rows = 0
    for owner, events in sizes:
        if portion and (rows + events > _ROWS or len(portion) >= _OWNERS):
            yield portion
            portion, rows = [], 0
        portion.append(owner)
        rows += events
    if portion:
        yield portion
