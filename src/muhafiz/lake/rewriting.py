"""What compaction and erasure share: reading segments whole, and saying whose rows they hold.

Every stored row is accounted for once. An events segment's own sightings are those of its rows
less what compaction folded into them; the folded rows stay in the day's re-sightings file, which
queries no longer open, so that every sum can be taken again from the files alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from muhafiz.formats.events import STORED, TIME
from muhafiz.lake.facts import event_facts, resighting_facts, sightings_by_report
from muhafiz.lake.identity import Int64s
from muhafiz.lake.layout import RESIGHTINGS, file_bytes, stored
from muhafiz.lake.models import Contribution, Segment, SegmentKind
from muhafiz.lake.refusals import SegmentUnreadable
from muhafiz.lake.storage import WrittenFile, file_digest, whole_path, write_file


@dataclass(frozen=True, slots=True)
class Replacement:
    """A file written, the fields of its segment, and what it contributes to each report."""

    file: WrittenFile
    facts: dict[str, Any]
    contributions: dict[int, int]


@dataclass(frozen=True, slots=True)
class Further:
    """Re-sightings merged by key: parallel arrays, keys ascending."""

    keys: Int64s
    first_seen: Int64s
    last_seen: Int64s
    sightings: Int64s

    @classmethod
    def of(cls, tables: Sequence[pa.Table]) -> Further:
        """All re-sightings of `tables`, one entry per key."""
        whole = pa.concat_tables([RESIGHTINGS.empty_table(), *tables])
        lines = whole.group_by("key").aggregate(
            [("first_seen", "min"), ("last_seen", "max"), ("sightings", "sum")]
        )
        lines = lines.sort_by("key")
        return cls(
            *(
                lines[name].cast(pa.int64()).to_numpy()
                for name in ("key", "first_seen_min", "last_seen_max", "sightings_sum")
            )
        )

    def places(self, keys: Int64s) -> tuple[Int64s, Any]:
        """Where each key stands, and whether it does."""
        if not len(self.keys):
            return np.zeros(len(keys), np.int64), np.zeros(len(keys), np.bool_)
        at = np.searchsorted(self.keys, keys)
        at[at == len(self.keys)] = 0
        return at, self.keys[at] == keys

    def sightings_of(self, keys: Int64s) -> Int64s:
        """Further sightings of each key; 0 where there are none."""
        at, hit = self.places(keys)
        return np.where(hit, self.sightings[at], 0) if hit.any() else np.zeros(len(keys), np.int64)


def read_segment(segment: Segment, *, filters: pc.Expression | None = None) -> pa.Table:
    """The rows of a live segment, times filled in.

    Raises:
        SegmentUnreadable: the file is missing or damaged.
    """
    schema = STORED if segment.kind == SegmentKind.EVENTS else RESIGHTINGS
    try:
        table = pq.read_table(whole_path(segment.path), filters=filters, partitioning=None)
        if schema is RESIGHTINGS:
            return table.cast(RESIGHTINGS)
        times = pc.coalesce(table["time_source"], table["time_observation"])
        for name in ("first_seen", "last_seen"):
            at = table.schema.get_field_index(name)
            table = table.set_column(at, pa.field(name, TIME), pc.coalesce(table[name], times))
        return stored(table)
    except (OSError, pa.ArrowException, KeyError) as wrong:
        raise SegmentUnreadable(segment=segment.pk, path=segment.path, reason=str(wrong)) from wrong


def read_columns(segment: Segment, names: Sequence[str]) -> pa.Table:
    """Columns of a live segment as they lie in the file, of every row.

    Raises:
        SegmentUnreadable: the file is missing or damaged.
    """
    try:
        return pq.read_table(whole_path(segment.path), columns=list(names), partitioning=None)
    except (OSError, pa.ArrowException, KeyError) as wrong:
        raise SegmentUnreadable(segment=segment.pk, path=segment.path, reason=str(wrong)) from wrong


def check_digests(segments: Iterable[Segment]) -> None:
    """Never rewrite what is damaged: the damage would get a digest of its own.

    Raises:
        SegmentUnreadable: a file is missing or not what was written.
    """
    for segment in segments:
        try:
            found = file_digest(segment.path)
        except OSError as wrong:
            raise SegmentUnreadable(
                segment=segment.pk, path=segment.path, reason=str(wrong)
            ) from wrong
        if found != segment.digest:
            raise SegmentUnreadable(
                segment=segment.pk, path=segment.path, reason="its digest has changed"
            )


def write_events(day: date, events: pa.Table, folded: Further) -> Replacement:
    """A new events file; `folded` is every re-sighting already within these rows' sightings."""
    own = events["sightings"].cast(pa.int64()).to_numpy()
    own = own - folded.sightings_of(events["key"].to_numpy())
    shares = pa.table({"report_id": events["report_id"], "sightings": pa.array(own)})
    facts = {"kind": SegmentKind.EVENTS, **event_facts(events)}
    return Replacement(
        write_file(day, file_bytes(events, kept=True)), facts, sightings_by_report(shares)
    )


def write_resightings(day: date, rows: pa.Table, *, folded: bool) -> Replacement:
    """A new re-sightings file."""
    facts = {"kind": SegmentKind.RESIGHTINGS, "folded": folded, **resighting_facts(rows)}
    return Replacement(write_file(day, file_bytes(rows)), facts, sightings_by_report(rows))


def add_segment(
    day: date, written: Replacement, *, version: int, generation: int, now: datetime
) -> Segment:
    """The row of a replacement, with its contributions."""
    segment = Segment.objects.create(
        day=day,
        path=written.file.path,
        digest=written.file.digest,
        size_bytes=written.file.size_bytes,
        version=version,
        generation=generation,
        created_at=now,
        **written.facts,
    )
    Contribution.objects.bulk_create(
        Contribution(segment=segment, report_id=report_id, sightings=sightings)
        for report_id, sightings in sorted(written.contributions.items())
    )
    return segment


def live_segments(day: date) -> list[Segment]:
    """Every segment of the day that readers see, in the order of their making."""
    return list(Segment.objects.filter(day=day, retired_at=None).order_by("id"))


def retire(segments: Sequence[Segment], now: datetime) -> bool:
    """Take segments out of readers' sight; False when another rewriting already took one."""
    wanted = Segment.objects.filter(pk__in=[s.pk for s in segments], retired_at=None)
    return wanted.update(retired_at=now) == len(segments)
