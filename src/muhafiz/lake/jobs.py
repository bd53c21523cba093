"""The lake's own work: compaction, retention, files nobody needs, exports."""

from __future__ import annotations

from datetime import UTC, timedelta

from muhafiz.jobs.registry import CannotSucceed, JobCancelled, JobRun, job
from muhafiz.lake.actions import compaction, exports, housekeeping
from muhafiz.lake.actions.verification import verify as verify_lake
from muhafiz.lake.export_files import remove_file
from muhafiz.lake.export_rules import CANCELLED, FAILED
from muhafiz.lake.exporting import write_commission
from muhafiz.lake.refusals import (
    CannotCompact,
    DiskNearlyFull,
    QueryTooBig,
    QueryTooSlow,
    SegmentUnreadable,
)
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


VERIFY_JOB = "lake.verify"
VERIFY_DEEP_JOB = "lake.verify_deep"
NOT_PROVEN = "not proven"  # the note of a proof that failed; one that broke off has none


@job(VERIFY_JOB, every=timedelta(days=1), attempts=3, lease=timedelta(minutes=30))
def verify(run: JobRun) -> None:
    """Prove that every accepted row is stored once: sums of all reports, sizes of all files."""
    _prove(run, deep=False)


@job(VERIFY_DEEP_JOB, every=timedelta(days=28), attempts=3, lease=timedelta(minutes=30))
def verify_deep(run: JobRun) -> None:
    """Prove it anew by reading every file of the lake."""
    _prove(run, deep=True)


def _prove(run: JobRun, *, deep: bool) -> None:
    proof = verify_lake(
        now=run.now(), deep=deep, progress=lambda done, total: run.report(done=done, total=total)
    )
    if not proof.proven:
        run.report(note=NOT_PROVEN)
        raise CannotSucceed(
            " ".join(f"{one.subject}: {one.text}" for one in proof.problems[:_TOLD])
        )
    run.report(note=f"{proof.rows} rows in {proof.segments} files")


_TOLD = 20  # problems that a failed proof names; `muhafiz lake verify` names all


@job("lake.sweep", every=timedelta(minutes=30), attempts=3, lease=timedelta(minutes=10))
def sweep(run: JobRun) -> None:
    """Delete files that were replaced an hour ago or that a crash left behind."""
    replaced = housekeeping.delete_retired_segments(now=run.now())
    left = housekeeping.remove_orphans(now=run.now())
    run.report(done=replaced + left, note=f"{replaced} replaced, {left} orphans")


@job("lake.write_export", attempts=5, lease=timedelta(minutes=10))
def write_export(run: JobRun, *, export_id: int) -> None:
    """Write the file of an export somebody asked for; a killed one is begun anew, nothing stays."""
    wanted = exports.begin_export(export_id)
    if wanted is None:
        return  # it was cancelled, or another worker has written it
    run.report(done=0, total=wanted.expected)
    try:
        finished, taken = write_commission(wanted, progress=lambda rows: run.report(done=rows))
    except JobCancelled:
        exports.end_export(export_id, CANCELLED, now=run.now())
        raise
    except (DiskNearlyFull, QueryTooBig, QueryTooSlow, SegmentUnreadable) as refusal:
        exports.end_export(export_id, FAILED, str(refusal), now=run.now())
        raise CannotSucceed(str(refusal)) from refusal
    if not taken.rows:
        remove_file(finished.name)
        exports.end_export(export_id, FAILED, "No row of it may leave.", now=run.now())
        return
    named = exports.finish_export(
        export_id,
        finished,
        rows=taken.rows,
        left_out=taken.left_out,
        tlp=taken.tlp,
        organizations=taken.organizations,
        actor=run.actor,
        now=run.now(),
    )
    if not named:
        remove_file(finished.name)


@job("lake.expire_exports", every=timedelta(minutes=10), attempts=3, lease=timedelta(minutes=10))
def expire_exports(run: JobRun) -> None:
    """Delete exports a day after they were written, and what a killed one left behind."""
    removed = exports.remove_expired(actor=run.actor, now=run.now())
    run.report(done=removed, note=f"{removed} removed")
