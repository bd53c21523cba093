"""What leaves the lake: old days, erased rows, replaced files, files that no row names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
from django.db import transaction
from django.db.models import F, Sum

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
    return _erase(
        _days(owned),
        lambda events: pc.equal(events["organization_id"], organization_id),
        f"organization:{organization_id}",
        reason,
        actor,
        now,
    )


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

    return _erase(_days(Segment.objects.all()), holds, "marker", reason, actor, now)


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


def _days(segments: object) -> list[date]:
    live = segments.filter(retired_at=None, kind=SegmentKind.EVENTS)  # type: ignore[attr-defined] - a queryset
    return sorted(set(live.values_list("day", flat=True)))


def _erase(  # noqa: PLR0913 - what, why, who and when are all asked by the audit
    days: Sequence[date], chosen: Chosen, subject: str, reason: str, actor: Actor, now: datetime
) -> int:
    check_free_disk()
    total = 0
    for day in days:
        for attempt in range(_MOST_RETRIES):
            try:
                total += _erase_day(day, chosen, subject, reason, actor, now)
                break
            except CannotCompact:
                if attempt == _MOST_RETRIES - 1:
                    raise
    return total


def _erase_day(  # noqa: PLR0913 - as above
    day: date, chosen: Chosen, subject: str, reason: str, actor: Actor, now: datetime
) -> int:
    """Rewrite the segments of one day that hold chosen events.

    Raises:
        CannotCompact: the day moved meanwhile; nothing was replaced.
    """
    state, _ = Day.objects.get_or_create(day=day)
    segments = live_segments(day)
    resighted = {
        each.pk: read_segment(each) for each in segments if each.kind == SegmentKind.RESIGHTINGS
    }
    folded = Further.of([resighted[each.pk] for each in segments if each.folded])
    old: list[Segment] = []
    new: list[tuple[Segment, Replacement]] = []
    erased: list[pa.ChunkedArray] = []
    for each in (each for each in segments if each.kind == SegmentKind.EVENTS):
        events = read_segment(each)
        mask = pc.fill_null(chosen(events), False)
        if not pc.any(mask).as_py():
            continue
        check_digests([each])
        erased.append(events["key"].filter(mask))
        old.append(each)
        kept = events.filter(pc.invert(mask))
        if kept.num_rows:
            new.append((each, write_events(day, kept, folded)))
    if not old:
        return 0
    keys = pa.chunked_array([chunk for column in erased for chunk in column.chunks])
    for each in (each for each in segments if each.pk in resighted):
        rows = resighted[each.pk]
        mask = pc.is_in(rows["key"], value_set=keys.combine_chunks())
        if pc.any(mask).as_py():
            check_digests([each])
            old.append(each)
            kept = rows.filter(pc.invert(mask))
            if kept.num_rows:
                new.append((each, write_resightings(day, kept, folded=each.folded)))
    try:
        _swap(state, old, new, reason, now, actor, {"what": subject, "events": len(keys)})
    except CannotCompact:
        remove_files([each.file.path for _, each in new])
        raise
    return len(keys)


@transaction.atomic
def _swap(  # noqa: PLR0913 - as above
    state: Day,
    old: Sequence[Segment],
    new: Sequence[tuple[Segment, Replacement]],
    reason: str,
    now: datetime,
    actor: Actor,
    details: dict[str, str | int],
) -> None:
    moved = Day.objects.filter(day=state.day, version=state.version, epoch=state.epoch)
    if not moved.update(version=F("version") + 1, epoch=F("epoch") + 1) or not retire(old, now):
        raise CannotCompact(day=state.day)
    left = Counter(_contributed(old))
    for each, written in new:
        add_segment(
            state.day, written, version=each.version, generation=each.generation + 1, now=now
        )
        left.subtract(written.contributions)
    _account(state.day, left, reason, now)
    record_entry(
        actor=actor,
        now=now,
        action="lake.erase_events",
        subject=f"day:{state.day}",
        details={**details, "reason": reason},
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
