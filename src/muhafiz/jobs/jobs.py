"""The queue's own timed work."""

from __future__ import annotations

from datetime import timedelta

from muhafiz.jobs.actions.pruning import prune_jobs
from muhafiz.jobs.registry import JobRun, job


@job("jobs.prune_jobs", every=timedelta(hours=6))
def prune(run: JobRun) -> None:
    """Remove jobs that ended well 14 days ago, and failed ones after 90 days."""
    removed = prune_jobs(now=run.now(), report=lambda count: run.report(done=count))
    run.report(done=removed, note=f"{removed} removed")
