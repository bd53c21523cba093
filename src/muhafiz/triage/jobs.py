"""Timed work of the queue: the sweep, and acts on many items."""

from __future__ import annotations

from datetime import timedelta

from muhafiz.jobs.registry import JobRun, job
from muhafiz.triage.actions.bulk import work_bulk
from muhafiz.triage.actions.sweep import sweep_sources


@job("triage.sweep", every=timedelta(minutes=1), attempts=2, lease=timedelta(minutes=10))
def sweep(run: JobRun) -> None:
    """Bring the queue up to date with what waits in every room, and close what is over."""
    done = sweep_sources(actor=run.actor, now=run.now())
    told = (
        f"{done.came} came, {done.returned} came back, {done.woken} woke, "
        f"{done.changed} changed, {done.over} over"
    )
    run.report(note=told)


@job("triage.move_many", attempts=3, lease=timedelta(minutes=5))
def move_many(run: JobRun, *, run_id: int) -> None:
    """Do one act with many items of the queue, in portions; failures are kept with the run."""
    work_bulk(
        run_id=run_id, now=run.now, report=lambda done, total: run.report(done=done, total=total)
    )
