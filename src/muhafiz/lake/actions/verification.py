"""The proof that every accepted row is stored once.

1. Per report: rows accepted = sightings that live segments contribute + sightings removed on
   purpose.
2. Per day: sightings of the events = what their segments contribute + what was folded into them.
3. Per segment: the file is there, of its size; deep: its digest, rows and sums are those written.
4. Deep, per day: no key has two events, and every re-sighting has its event.
5. No file lies in the lake that no row names (younger ones may be an append under way).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection, transaction
from django.db.models import Sum

from muhafiz.lake.actions.housekeeping import orphans
from muhafiz.lake.facts import sightings_by_report
from muhafiz.lake.layout import RESIGHTINGS
from muhafiz.lake.models import Contribution, Receipt, Removal, Segment, SegmentKind
from muhafiz.lake.refusals import SegmentUnreadable
from muhafiz.lake.rewriting import Further, check_digests, read_columns
from muhafiz.lake.storage import whole_path

ProblemKind = Literal["report", "day", "segment", "key", "orphan"]
Progress = Callable[[int, int], None]
_YOUNG = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not as it must be; `subject` as in the audit ("report:17")."""

    kind: ProblemKind
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What was checked, and everything found wrong."""

    reports: int
    segments: int
    rows: int  # accepted rows that the reports' sums cover
    deep: bool
    problems: tuple[Problem, ...]

    @property
    def proven(self) -> bool:
        """Nothing was found wrong."""
        return not self.problems


@dataclass(slots=True)
class _Snapshot:
    """The relational side at one moment."""

    accepted: dict[int, int]
    contributed: dict[int, int]
    removed: dict[int, int]
    by_segment: dict[int, int]
    segments: list[Segment]
    problems: list[Problem] = field(default_factory=list)


def verify(
    *, now: datetime, deep: bool = False, progress: Progress = lambda _done, _total: None
) -> Verification:
    """Check the lake; changes nothing. `deep` reads every file (minutes at 10^8 events).

    `progress` is told (segments done, segments in all).
    """
    found = _snapshot()
    _check_reports(found)
    _check_days(found)
    done = 0
    for day, group in groupby(found.segments, key=lambda segment: segment.day):
        segments = list(group)
        found.problems += _check_files(day, segments, deep=deep)
        done += len(segments)
        progress(done, len(found.segments))
    for path in orphans(now=now, age=_YOUNG):
        found.problems.append(Problem("orphan", f"file:{path}", "No segment names this file."))
    return Verification(
        reports=len(found.accepted),
        segments=len(found.segments),
        rows=sum(found.accepted.values()),
        deep=deep,
        problems=tuple(found.problems),
    )


def _snapshot() -> _Snapshot:
    """All sums at one moment, while others append."""
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if outermost and connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        live = Contribution.objects.filter(segment__retired_at=None)
        by_segment = live.values_list("segment").annotate(n=Sum("sightings"))
        return _Snapshot(
            accepted=dict(Receipt.objects.values_list("report_id").annotate(n=Sum("rows"))),
            contributed=dict(live.values_list("report_id").annotate(n=Sum("sightings"))),
            removed=dict(Removal.objects.values_list("report_id").annotate(n=Sum("sightings"))),
            by_segment=dict(by_segment),
            segments=list(
                Segment.objects.filter(retired_at=None)
                .defer("organization_counts", "class_counts")
                .order_by("day", "id")
            ),
        )


def _check_reports(found: _Snapshot) -> None:
    for report in sorted(found.accepted | found.contributed | found.removed):
        accepted = found.accepted.get(report, 0)
        stored, removed = found.contributed.get(report, 0), found.removed.get(report, 0)
        if accepted != stored + removed:
            text = f"{accepted} rows were accepted, {stored} are stored, {removed} were removed."
            found.problems.append(Problem("report", f"report:{report}", text))


def _check_days(found: _Snapshot) -> None:
    for day, group in groupby(found.segments, key=lambda segment: segment.day):
        segments = list(group)
        events = sum(s.sightings for s in segments if s.kind == SegmentKind.EVENTS)
        folded = sum(s.sightings for s in segments if s.folded)
        own = sum(found.by_segment.get(s.pk, 0) for s in segments if s.kind == SegmentKind.EVENTS)
        further = sum(s.sightings for s in segments if s.kind == SegmentKind.RESIGHTINGS)
        claimed = sum(found.by_segment.get(s.pk, 0) for s in segments) - own
        if events != own + folded or further != claimed:
            text = (
                f"Its events count {events} sightings where {own} and {folded} folded are "
                f"accounted for; its re-sightings {further} where {claimed} are."
            )
            found.problems.append(Problem("day", f"day:{day}", text))


def _check_files(day: date, segments: Sequence[Segment], *, deep: bool) -> list[Problem]:
    problems: list[Problem] = []
    tables: dict[int, pa.Table] = {}
    for segment in segments:
        try:
            _check_file(segment)
            if deep:
                tables[segment.pk] = _checked_rows(segment)
        except SegmentUnreadable as wrong:
            if Segment.objects.filter(pk=segment.pk, retired_at=None).exists():
                problems.append(Problem("segment", f"segment:{segment.pk}", str(wrong)))
            else:
                return []  # the day was rewritten while we looked; the next run sees it whole
    if deep and not problems:
        problems += _check_day(day, segments, tables)
    return problems


def _check_file(segment: Segment) -> None:
    size = None
    with suppress(FileNotFoundError):
        size = whole_path(segment.path).stat().st_size
    if size != segment.size_bytes:
        reason = "the file is missing" if size is None else f"it has {size} bytes"
        raise SegmentUnreadable(segment=segment.pk, path=segment.path, reason=reason)


def _checked_rows(segment: Segment) -> pa.Table:
    """Key, report and sightings of a file whose digest and sums are right.

    The digest speaks for the columns that are not read.
    """
    check_digests([segment])
    of_events = segment.kind == SegmentKind.EVENTS
    rows = read_columns(segment, SUMMED if of_events else RESIGHTINGS.names)
    sightings = pc.sum(rows["sightings"]).as_py()
    if (rows.num_rows, sightings) != (segment.rows, segment.sightings):
        reason = f"{rows.num_rows} rows with {sightings} sightings, not what was written"
        raise SegmentUnreadable(segment=segment.pk, path=segment.path, reason=reason)
    return rows


SUMMED = ("key", "report_id", "sightings")


def _check_day(
    day: date, segments: Sequence[Segment], tables: dict[int, pa.Table]
) -> list[Problem]:
    """Step 4, and each segment's contributions taken again from its file."""
    events = [tables[s.pk]["key"].to_numpy() for s in segments if s.kind == SegmentKind.EVENTS]
    keys = np.sort(np.concatenate([np.zeros(0, np.int64), *events]))
    problems = []
    twice = int((keys[1:] == keys[:-1]).sum())
    if twice:
        problems.append(Problem("key", f"day:{day}", f"{twice} keys have more than one event."))
    further = Further.of([tables[s.pk] for s in segments if s.kind == SegmentKind.RESIGHTINGS])
    lost = int((~np.isin(further.keys, keys)).sum())
    if lost:
        problems.append(Problem("key", f"day:{day}", f"{lost} re-sightings have no event."))
    folded = Further.of([tables[s.pk] for s in segments if s.folded])
    return problems + _check_contributions(segments, tables, folded)


def _check_contributions(
    segments: Sequence[Segment], tables: dict[int, pa.Table], folded: Further
) -> list[Problem]:
    claimed: dict[int, dict[int, int]] = {segment.pk: {} for segment in segments}
    lines = Contribution.objects.filter(segment__in=segments)
    for segment_id, report, sightings in lines.values_list("segment", "report_id", "sightings"):
        claimed[segment_id][report] = sightings
    problems = []
    for segment in segments:
        rows = tables[segment.pk]
        own = rows["sightings"].cast(pa.int64()).to_numpy()
        if segment.kind == SegmentKind.EVENTS and segment.generation:
            own = own - folded.sightings_of(rows["key"].to_numpy())
        shares = pa.table({"report_id": rows["report_id"], "sightings": pa.array(own)})
        if sightings_by_report(shares) != claimed[segment.pk]:
            text = "Its rows are not of the reports that its account names."
            problems.append(Problem("segment", f"segment:{segment.pk}", text))
    return problems
