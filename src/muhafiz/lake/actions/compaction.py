"""Compaction: many small files of a day become few, sorted ones; re-sightings join their events.

1. Take the day's live segments; check their digests.
2. Cut the day into parts of at most `PART_ROWS` events by owner, then by address.
3. Per part: read, fold the re-sightings in, sort, write aside.
4. Write the day's re-sightings as one file, marked folded (kept for proof, not for queries).
5. In one transaction: retire what was read, if all of it is still live; add what was written.

Appends of the same day go on meanwhile: what they add is not touched. Old files stay for readers
in flight until `housekeeping.delete_retired_segments`. A crash leaves orphans only.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.db import transaction
from django.db.models import Count, Q, Sum

from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.formats.events import STORED
from muhafiz.lake.facts import add_counts
from muhafiz.lake.layout import RESIGHTINGS
from muhafiz.lake.models import Segment, SegmentKind
from muhafiz.lake.preparation import storage_order
from muhafiz.lake.refusals import CannotCompact
from muhafiz.lake.rewriting import (
    Further,
    Replacement,
    add_segment,
    check_digests,
    live_segments,
    read_segment,
    retire,
    write_events,
    write_resightings,
)
from muhafiz.lake.sighting_merge import merged_sightings
from muhafiz.lake.storage import check_free_disk, remove_files

PART_ROWS = 500_000  # events that compaction holds in memory at a time
CROWDED = 64  # an open day with more segments than this is compacted too
_SAMPLED = 20_000


def days_to_compact(*, today: date) -> list[date]:
    """Closed days that would gain, and open ones with very many segments; oldest first."""
    live = Segment.objects.filter(retired_at=None).values("day")
    lines = live.annotate(
        segments=Count("id"),
        loose=Count("id", filter=Q(generation=0)),
        events=Count("id", filter=Q(kind=SegmentKind.EVENTS)),
        rows=Sum("rows", filter=Q(kind=SegmentKind.EVENTS), default=0),
    )
    return sorted(
        line["day"]
        for line in lines
        if line["loose"]
        and (line["day"] < today or line["segments"] > CROWDED)
        and (line["segments"] > 1 or line["rows"] > PART_ROWS)
    )


def compact_day(day: date, *, actor: Actor, now: datetime) -> int:
    """Rewrite one day; returns the number of segments it has now.

    Raises:
        CannotCompact: another rewriting took one of the segments; nothing was replaced.
        SegmentUnreadable: a file is missing or damaged; nothing was replaced.
        DiskNearlyFull: there is no room beside the old files.
    """
    segments = live_segments(day)
    check_free_disk()
    check_digests(segments)
    written: list[Replacement] = []
    try:
        _rewrite(day, segments, written)
        return _swap(day, segments, written, actor, now)
    except CannotCompact:
        remove_files([each.file.path for each in written])
        raise


def _rewrite(day: date, segments: Sequence[Segment], written: list[Replacement]) -> None:
    """Steps 2 to 4."""
    events = [each for each in segments if each.kind == SegmentKind.EVENTS]
    resighted = [each for each in segments if each.kind == SegmentKind.RESIGHTINGS]
    tables = {each.pk: read_segment(each) for each in resighted}
    loose = Further.of([tables[each.pk] for each in resighted if not each.folded])
    every = Further.of(list(tables.values()))
    for part in _parts(events):
        rows = pa.concat_tables(
            [STORED.empty_table(), *(read_segment(each, filters=part) for each in events)]
        )
        if rows.num_rows:
            rows = merged_sightings(rows, _table(loose))
            written.append(write_events(day, rows.take(storage_order(rows)), every))
    if tables:
        lines = pa.concat_tables(list(tables.values())).group_by(["key", "report_id"])
        merged = lines.aggregate(
            [("first_seen", "min"), ("last_seen", "max"), ("sightings", "sum")]
        )
        names = ["key", "report_id", "first_seen", "last_seen", "sightings"]
        merged = merged.rename_columns(names).sort_by("key").cast(RESIGHTINGS)
        written.append(write_resightings(day, merged, folded=True))


def _table(further: Further) -> pa.Table:
    return pa.table(
        {
            "key": further.keys,
            "first_seen": further.first_seen,
            "last_seen": further.last_seen,
            "sightings": further.sightings,
        }
    )


def _parts(events: Sequence[Segment]) -> list[pc.Expression | None]:
    """Filters that together take every row once, each about `PART_ROWS` rows or one owner."""
    total = sum(each.rows for each in events)
    if total <= PART_ROWS:
        return [None]
    owners = add_counts(
        bytes(each.organization_counts) for each in events if each.organization_counts
    )
    column = pc.field("organization_id")
    parts = []
    start, held = None, 0
    for owner, count in sorted(owners.items()):
        if held and held + count > PART_ROWS:
            parts.append(
                (column < owner) if start is None else (column >= start) & (column < owner)
            )
            start, held = owner, 0
        held += count
    if owners:
        parts.append(column.is_valid() if start is None else column >= start)
    return [*parts, *_nobodys_parts(events, total - sum(owners.values()))]


def _nobodys_parts(events: Sequence[Segment], rows: int) -> list[pc.Expression]:
    """The rows owned by nobody, cut by address."""
    nobody = pc.field("organization_id").is_null()
    if rows <= PART_ROWS:
        return [nobody] if rows else []
    address = pc.field("source_address")
    samples = [_sample(each, nobody) for each in events]
    sample = sorted(value for values in samples for value in values)
    pieces = -(-rows // PART_ROWS)
    cuts = sorted({sample[len(sample) * at // pieces] for at in range(1, pieces)} if sample else ())
    bounds = [pa.scalar(cut, pa.binary(16)) for cut in cuts]
    if not bounds:
        return [nobody]
    parts = [nobody & (address < bounds[0]), nobody & address.is_null()]
    parts += [nobody & (address >= low) & (address < high) for low, high in pairwise(bounds)]
    return [*parts, nobody & (address >= bounds[-1])]


def _sample(segment: Segment, nobody: pc.Expression) -> list[bytes]:
    column = read_segment(segment, filters=nobody)["source_address"].drop_null()
    step = max(1, len(column) // _SAMPLED)
    found: list[bytes] = column.take(np.arange(0, len(column), step)).to_pylist()
    return found


@transaction.atomic
def _swap(
    day: date,
    segments: Sequence[Segment],
    written: Sequence[Replacement],
    actor: Actor,
    now: datetime,
) -> int:
    """Step 5.

    Raises:
        CannotCompact: a segment was retired meanwhile.
    """
    if not retire(segments, now):
        raise CannotCompact(day=day)
    version = max(each.version for each in segments)
    generation = max(each.generation for each in segments) + 1
    for each in written:
        add_segment(day, each, version=version, generation=generation, now=now)
    record_entry(
        actor=actor,
        now=now,
        action="lake.compact_day",
        subject=f"day:{day}",
        details={
            "replaced": {each.path: each.digest for each in segments},
            "segments": {each.file.path: each.file.digest for each in written},
        },
    )
    return len(written)
