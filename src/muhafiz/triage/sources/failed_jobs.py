"""Work of the platform that failed for good."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from muhafiz.jobs.queries import JobFacts, jobs
from muhafiz.triage.waiting import Waiting

KIND = "failed-job"
PERMISSION = "jobs.read"
EVERY = timedelta(minutes=1)

_MOST = 100_000


def waiting(now: datetime) -> Iterator[Waiting]:
    """One item for each kind of work that failed, however often it did."""
    del now
    failed: dict[str, list[JobFacts]] = defaultdict(list)
    for job in jobs(state="failed", limit=_MOST):
        failed[job.name].append(job)
    for name, found in failed.items():
        last = found[0].error.strip().rsplit("\n", 1)[-1]
        yield Waiting(
            key=name,
            title="job-failed",
            params={"job": name},
            severity="medium",
            since=min(job.finished_at or job.queued_at for job in found),
            tlp="GREEN",
            reference=name,
            route="jobs",
            route_query={"state": "failed"},
            count=len(found),
            more=(("last-error", last[:300]),),
        )
