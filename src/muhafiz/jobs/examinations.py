"""Whether queued and timed work is done."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from muhafiz.health.registry import examination
from muhafiz.health.rules import Ailment, Fact, Finding, fact
from muhafiz.jobs import queries
from muhafiz.jobs.rules import FAILED

NO_WORKER = Ailment(
    "no-worker",
    "fault",
    "No worker is at work. Nothing is read, told or sent.",
    "Start the platform (`muhafiz serve`), or a worker alone (`muhafiz worker`).",
    route="jobs",
)
NO_SCHEDULER = Ailment(
    "no-scheduler",
    "fault",
    "Timed work was last queued at {since}. Nothing more is collected, told or watched.",
    "Start the platform (`muhafiz serve`), or the scheduler alone (`muhafiz scheduler`).",
    route="jobs",
)
LONG_WAIT = Ailment(
    "long-wait",
    "warning",
    "Work has waited for {minutes} minutes.",
    "Start more workers (MUHAFIZ_WORKERS), or look what keeps those that there are.",
    route="jobs",
)
FAILS = Ailment(
    "timed-work-fails",
    "fault",
    "“{work}” failed at its last run, {since}.",
    "Read why on its page, mend that, and try it again: `muhafiz jobs retry {job}`",
    route="job",
)
FAILED_BEFORE = Ailment(
    "failed-work",
    "warning",
    "Work that failed and was not tried again: {count}.",
    "Read why, mend that, and try them again.",
    route="jobs",
)

_QUIET = timedelta(minutes=5)  # the scheduler queues something twice a minute
_LONG = timedelta(minutes=10)


@examination("work", "Workers and jobs")
def work(now: datetime) -> Iterator[Finding | Fact]:
    """Workers, scheduler, what waits and what failed."""
    alive = [each for each in queries.workers(now=now) if each.state(now) in {"running", "idle"}]
    if not alive:
        yield NO_WORKER.found()
    queued = queries.last_queued(now)
    if queued is not None and now - queued > _QUIET:
        yield NO_SCHEDULER.found(since=queued)
    wait = queries.longest_wait(now)
    if wait is not None and wait > _LONG:
        yield LONG_WAIT.found(minutes=int(wait.total_seconds() // 60))
    failing = _failing()
    yield from failing
    failed = queries.counts_by_state()[FAILED] - len(failing)
    if failed > 0:
        yield FAILED_BEFORE.found(count=failed, query="?state=failed")
    if alive:
        yield fact("Workers that are there: {count}.", count=len(alive))


def _failing() -> list[Finding]:
    """Timed work that did not go well the last time."""
    runs = [each.last_run for each in queries.timed_jobs()]
    return [
        FAILS.found(
            work=run.name,
            since=run.finished_at or run.queued_at,
            job=str(run.job_id),
            route_args={"job_id": run.job_id},
        )
        for run in runs
        if run is not None and run.state == FAILED
    ]
