"""Rows set aside are kept: the first of a fault one by one, the others as places.

Must run inside the caller's transaction, which also counts them in their report.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pyarrow as pa
from django.db.models import Count, Sum
from django.db.models.functions import Length

from muhafiz.feeds.models import Report, SetAsideRow
from muhafiz.feeds.places import Fault, faults, packed
from muhafiz.feeds.sources import all_sources

#: Rows of one report with one fault (report type, reason, column) that are kept one by one.
ONE_BY_ONE = 1_000
#: Bytes of the rows of one report that are kept one by one.
BYTES_ONE_BY_ONE = 32 << 20
#: Bytes of one unreadable row kept beside it; all of it stays in the raw report.
RAW_KEPT_PER_ROW = 1 << 20
_AT_ONCE = 500


@dataclass(slots=True)
class _Room:
    """How much of a report may still be kept one by one."""

    rows: dict[tuple[str, str], int]  # by reason and column: kept already
    bytes: int

    @classmethod
    def of(cls, report: Report, kind: str) -> _Room:
        found = SetAsideRow.objects.filter(report=report, places__isnull=True)
        counts = found.filter(kind=kind).order_by().values_list("reason", "column")
        taken = found.aggregate(bytes=Sum(Length("raw")))["bytes"] or 0
        rows = {(reason, column): count for reason, column, count in counts.annotate(Count("pk"))}
        return cls(rows, BYTES_ONE_BY_ONE - taken)

    def take(self, fault: Fault) -> int:
        """How many of the fault's rows, from the first, have room; they are counted as taken."""
        key = (_reason(fault), _column(fault))
        most = max(0, ONE_BY_ONE - self.rows.get(key, 0))
        lengths = map(len, fault.found.column("raw").slice(0, most).to_pylist())
        count = 0
        for length in lengths:
            if self.bytes <= 0:
                break
            self.bytes -= min(length, RAW_KEPT_PER_ROW)
            count += 1
        self.rows[key] = self.rows.get(key, 0) + count
        return count


def keep_set_aside(report: Report, member: str, found: pa.Table) -> int:
    """Keep the rows of a SET_ASIDE table of the report's `member`; how many they are."""
    if not found.num_rows:
        return 0
    source = all_sources().get(report.feed.source)
    kind = source.kind(member, report.feed.options)[:100] if source else ""
    room = _Room.of(report, kind)
    kept = [row for fault in faults(found) for row in _kept(report, kind, fault, room)]
    SetAsideRow.objects.bulk_create(kept, batch_size=_AT_ONCE)
    return int(found.num_rows)


def _kept(report: Report, kind: str, fault: Fault, room: _Room) -> Iterator[SetAsideRow]:
    count = room.take(fault)
    for place in range(count):
        yield set_aside_row(report.pk, kind, replace(fault, found=fault.found.slice(place, 1)))
    if count < fault.found.num_rows:
        yield set_aside_row(report.pk, kind, replace(fault, found=fault.found.slice(count)))


def set_aside_row(report_id: int, kind: str, fault: Fault) -> SetAsideRow:
    """The row that stands for all of the fault's; not saved."""
    (first,) = fault.found.slice(0, 1).to_pylist()
    count = fault.found.num_rows
    return SetAsideRow(
        report_id=report_id,
        kind=kind,
        reason=_reason(fault),
        column=_column(fault),
        row=first["row"],
        detail=first["detail"],
        raw=first["raw"][:RAW_KEPT_PER_ROW],
        rows=count,
        places=packed(fault.places) if count > 1 else None,
    )


def _reason(fault: Fault) -> str:
    return fault.reason[:60]


def _column(fault: Fault) -> str:
    return fault.column[:200]
