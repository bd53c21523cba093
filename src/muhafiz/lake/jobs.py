"""The lake's own work: compaction, retention, files nobody needs."""

from __future__ import annotations

from datetime import UTC, timedelta

from muhafiz.jobs.registry import JobRun, job
from muhafiz.lake.actions import compaction, housekeeping
from muhafiz.lake.refusals import CannotCompact
from muhafiz.rulebook.queries import value_or


@job("lake.compact", every=timedelta(hours=1), attempts=3, lease=timedelta(minutes=30))
def compact(run: JobRun) -> None:
    """Rewrite closed days of the event lake into few sorted files."""
    now = run.now()
    days = compaction.days_to_compact(today=now.astimezone(UTC).date())
    for done, day in enumerate(days):
        run.report(done=done, total=len(days), note=f"{day}")
        try:
            compaction.compact_day(day, actor=run.actor, now=run.now())
        except CannotCompact:
            continue  # the day moved; the next run takes it


@job("lake.retention", every=timedelta(hours=6), attempts=3, lease=timedelta(minutes=30))
def retain(run: JobRun, *, events_days: int | None = None) -> None:
    """Remove days older than the rulebook's retention.events_days; nothing when it is unknown."""
    now = run.now()
    kept = (
        events_days if events_days is not None else value_or("retention.events_days", None, at=now)
    )
    if not isinstance(kept, int) or kept < 1:
        return  # nobody has decided: nothing is deleted on a guess
    days = housekeeping.days_before(now.astimezone(UTC).date() - timedelta(days=kept))
    for done, day in enumerate(days):
        run.report(done=done, total=len(days), note=f"{day}")
        reason = f"retention.events_days = {kept}"
        housekeeping.remove_day(day, reason=reason, actor=run.actor, now=now)


@job("lake.sweep", every=timedelta(minutes=30), attempts=3, lease=timedelta(minutes=10))
def sweep(run: JobRun) -> None:
    """Delete files that were replaced an hour ago or that a crash left behind."""
    replaced = housekeeping.delete_retired_segments(now=run.now())
    left = housekeeping.remove_orphans(now=run.now())
    run.report(done=replaced + left, note=f"{replaced} replaced, {left} orphans")
