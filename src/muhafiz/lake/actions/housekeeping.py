"""What leaves the lake: old days, erased rows, replaced files, files that no row names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc
from django.db import transaction
from django.db.models import F, QuerySet, Sum

from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.formats.events import STORED
from muhafiz.lake.models import Contribution, Day, Removal, Segment, SegmentKind
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
from muhafiz.lake.storage import check_free_disk, files_on_disk, remove_files

GRACE = timedelta(hours=1)  # readers that began before a replacement have finished
ORPHAN_AGE = timedelta(hours=24)  # younger files may be an append under way
_MOST_RETRIES = 20

Chosen = Callable[[pa.Table], pa.ChunkedArray]


@transaction.atomic
def remove_day(day: date, *, reason: str, actor: Actor, now: datetime) -> int:
    """Take a whole day out of the lake; returns its events. The sums keep saying what it held."""
    # First of all: appends of the day now wait for us, and then look the day up again.
    Day.objects.filter(day=day).update(epoch=F("epoch") + 1, version=F("version") + 1)
    segments = live_segments(day)
    if not segments:
        return 0
    _account(day, _contributed(segments), reason, now)
    if not retire(segments, now):
        raise CannotCompact(day=day)
    events = sum(each.rows for each in segments if each.kind == SegmentKind.EVENTS)
    record_entry(
        actor=actor,
        now=now,
        action="lake.remove_day",
        subject=f"day:{day}",
        details={"events": events, "reason": reason},
    )
    return events


def days_before(day: date) -> list[date]:
    """Days earlier than `day` that the lake still has."""
    live = Segment.objects.filter(retired_at=None, day__lt=day)
    return list(live.values_list("day", flat=True).distinct().order_by("day"))


def erase_organization(organization_id: int, *, reason: str, actor: Actor, now: datetime) -> int:
    """Rewrite every segment without this organization's events; returns how many went.

    Raises:
        SegmentUnreadable: a file is missing or damaged; days before it are done.
    """
    owned = Segment.objects.filter(
        organization_min__lte=organization_id, organization_max__gte=organization_id
    )

    def owns(events: pa.Table) -> pa.ChunkedArray:
        return pc.equal(events["organization_id"], organization_id)

    subject = f"organization:{organization_id}"
    return _erase(_days(owned), _Erasure(owns, subject, reason, actor, now))


def erase_marker(marker: str, *, reason: str, actor: Actor, now: datetime) -> int:
    """Rewrite every segment without the events that hold `marker` in any text; returns how many.

    Raises:
        ValueError: the marker is shorter than four characters.
        SegmentUnreadable: a file is missing or damaged; days before it are done.
    """
    if len(marker) < 4:  # noqa: PLR2004 - a slip of the hand must not empty the lake
        raise ValueError("A marker has at least four characters.")
    texts = [field.name for field in STORED if field.type == pa.string()]

    def holds(events: pa.Table) -> pa.ChunkedArray:
        found = pc.fill_null(pc.match_substring(events[texts[0]], marker), False)
        for name in texts[1:]:
            found = pc.or_(found, pc.fill_null(pc.match_substring(events[name], marker), False))
        return found

    erasure = _Erasure(holds, "marker", reason, actor, now)
    return _erase(_days(Segment.objects.all()), erasure)


def delete_retired_segments(*, now: datetime) -> int:
    """Delete files replaced or removed longer ago than `GRACE`, then their rows."""
    gone = list(Segment.objects.filter(retired_at__lt=now - GRACE).values_list("pk", "path"))
    remove_files([path for _, path in gone])
    Segment.objects.filter(pk__in=[pk for pk, _ in gone]).delete()
    return len(gone)


def orphans(*, now: datetime, age: timedelta = ORPHAN_AGE) -> list[str]:
    """Files that no row names, older than `age`: what a crash left."""
    found = files_on_disk()  # before the rows: a file is older than its row
    named = set(Segment.objects.values_list("path", flat=True))
    oldest = (now - age).timestamp()
    return sorted(path for path, changed in found.items() if path not in named and changed < oldest)


def remove_orphans(*, now: datetime, age: timedelta = ORPHAN_AGE) -> int:
    """Delete them; returns how many."""
    return remove_files(orphans(now=now, age=age))


def _days(segments: QuerySet[Segment]) -> list[date]:
    live = segments.filter(retired_at=None, kind=SegmentKind.EVENTS)
    return sorted(set(live.values_list("day", flat=True)))


@dataclass(frozen=True, slots=True)
class _Erasure:
    """Which rows go, and what the audit is told."""

    chosen: Chosen
    subject: str
    reason: str
    actor: Actor
    now: datetime


def _erase(days: Sequence[date], erasure: _Erasure) -> int:
    check_free_disk()
    return sum(_erase_day_until_still(day, erasure) for day in days)


def _erase_day_until_still(day: date, erasure: _Erasure) -> int:
    for _ in range(_MOST_RETRIES):
        try:
            return _erase_day(day, erasure)
        except CannotCompact:
            continue
    raise CannotCompact(day=day)


def _erase_day(day: date, erasure: _Erasure) -> int:
    """Rewrite the segments of one day that hold chosen events.

    Raises:
        CannotCompact: the day moved meanwhile; nothing was replaced.
    """
    state, _ = Day.objects.get_or_create(day=day)
    segments = live_segments(day)
    events = [each for each in segments if each.kind == SegmentKind.EVENTS]
    resighted = [each for each in segments if each.kind == SegmentKind.RESIGHTINGS]
    tables = {each.pk: read_segment(each) for each in resighted}
    folded = Further.of([tables[each.pk] for each in resighted if each.folded])
    without = _Without()
    for each in events:
        rows = read_segment(each)
        going = pc.fill_null(erasure.chosen(rows), False)
        without.take(each, rows, going, lambda kept: write_events(day, kept, folded))
    keys = pa.array(sorted(without.keys), pa.int64())
    for each in resighted:
        going = pc.is_in(tables[each.pk]["key"], value_set=keys)
        write = partial(write_resightings, day, folded=each.folded)
        without.take(each, tables[each.pk], going, write)
    if not without.old:
        return 0
    try:
        _swap(state, without, erasure)
    except CannotCompact:
        remove_files([written.file.path for _, written in without.new])
        raise
    return len(keys)


@dataclass(slots=True)
class _Without:
    """Segments that lose rows, what replaces them, and the keys that go."""

    old: list[Segment] = field(default_factory=list)
    new: list[tuple[Segment, Replacement]] = field(default_factory=list)
    keys: set[int] = field(default_factory=set)

    def take(
        self,
        segment: Segment,
        rows: pa.Table,
        going: pa.ChunkedArray,
        write: Callable[[pa.Table], Replacement],
    ) -> None:
        """Replace `segment` by its rows that stay, when any goes."""
        if not pc.any(going).as_py():
            return
        check_digests([segment])
        self.keys.update(rows["key"].filter(going).to_pylist())
        self.old.append(segment)
        kept = rows.filter(pc.invert(going))
        if kept.num_rows:
            self.new.append((segment, write(kept)))


@transaction.atomic
def _swap(state: Day, without: _Without, erasure: _Erasure) -> None:
    moved = Day.objects.filter(day=state.day, version=state.version, epoch=state.epoch)
    advanced = moved.update(version=F("version") + 1, epoch=F("epoch") + 1)
    if not advanced or not retire(without.old, erasure.now):
        raise CannotCompact(day=state.day)
    left = Counter(_contributed(without.old))
    for each, written in without.new:
        generation = each.generation + 1
        add_segment(
            state.day, written, version=each.version, generation=generation, now=erasure.now
        )
        left.subtract(written.contributions)
    _account(state.day, left, erasure.reason, erasure.now)
    record_entry(
        actor=erasure.actor,
        now=erasure.now,
        action="lake.erase_events",
        subject=f"day:{state.day}",
        details={
            "what": erasure.subject,
            "events": len(without.keys),
            "reason": erasure.reason,
        },
    )


def _contributed(segments: Sequence[Segment]) -> dict[int, int]:
    lines = Contribution.objects.filter(segment__in=segments).values("report_id")
    return {line["report_id"]: line["n"] for line in lines.annotate(n=Sum("sightings"))}


def _account(day: date, sightings: dict[int, int], reason: str, now: datetime) -> None:
    Removal.objects.bulk_create(
        Removal(report_id=report, day=day, sightings=count, reason=reason, removed_at=now)
        for report, count in sorted(sightings.items())
        if count
    )
