"""What the desk asks of the queue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max

from muhafiz.jobs.models import Job, JobHistory, TimedJob, Worker
from muhafiz.jobs.registry import declared_jobs
from muhafiz.jobs.rules import CLOCK_TOLERANCE, QUEUED, STATES, slot_start

_LOST_AFTER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class JobFacts:
    """A job as it stands; `done` of `total` is its progress, each None when not told."""

    job_id: int
    name: str
    payload: str
    state: str
    queued_by: str
    queued_at: datetime
    run_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    attempt: int
    attempts: int
    worker: str
    leased_until: datetime | None
    cancel_asked: bool
    done: int | None
    total: int | None
    note: str
    error: str

    @property
    def share(self) -> float | None:
        """The part that is done, 0 to 1; None when unknown."""
        if self.done is None or not self.total:
            return None
        return min(self.done / self.total, 1.0)


@dataclass(frozen=True, slots=True)
class AttemptFacts:
    """One attempt at a job; `outcome` is empty while it runs."""

    attempt: int
    worker: str
    started_at: datetime
    finished_at: datetime | None
    outcome: str
    error: str


@dataclass(frozen=True, slots=True)
class WorkerFacts:
    """A worker: `job` is what it works on; None when it waits, or has gone."""

    name: str
    started_at: datetime
    seen_at: datetime
    stopped_at: datetime | None
    ran: int
    job: JobFacts | None

    def state(self, now: datetime) -> str:
        """running, idle, stopped (it said farewell) or lost (not seen for a minute)."""
        if self.stopped_at is not None:
            return "stopped"
        if abs(now - self.seen_at) > _LOST_AFTER:  # ahead: of before the clock was set back
            return "lost"
        return "running" if self.job else "idle"


@dataclass(frozen=True, slots=True)
class TimedFacts:
    """A timed job: when it last ran and when its next slot begins (None: never seen yet)."""

    name: str
    description: str
    every: timedelta
    last_run: JobFacts | None
    next_at: datetime | None


def jobs(
    *,
    state: str | None = None,
    name: str | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[JobFacts]:
    """Jobs, the newest first; `before` is a job's number to page on from."""
    found = Job.objects.order_by("-id")
    if state is not None:
        found = found.filter(state=state)
    if name is not None:
        found = found.filter(name=name)
    if before is not None:
        found = found.filter(pk__lt=before)
    return [_facts(row) for row in found[:limit]]


def job(job_id: int) -> JobFacts | None:
    """One job, None when there is none of this number."""
    row = Job.objects.filter(pk=job_id).first()
    return None if row is None else _facts(row)


def attempts(job_id: int) -> list[AttemptFacts]:
    """Every attempt at a job, in order."""
    rows = JobHistory.objects.filter(job_id=job_id).order_by("attempt", "id")
    return [
        AttemptFacts(r.attempt, r.worker, r.started_at, r.finished_at, r.outcome, r.error)
        for r in rows
    ]


def workers(*, now: datetime, within: timedelta = timedelta(days=1)) -> list[WorkerFacts]:
    """The workers seen lately, those at work first; two queries however many there are."""
    rows = list(Worker.objects.filter(seen_at__gte=now - within).order_by("-seen_at"))
    busy = Job.objects.in_bulk([row.job_id for row in rows if row.job_id is not None])
    found = [
        WorkerFacts(
            name=row.name,
            started_at=row.started_at,
            seen_at=row.seen_at,
            stopped_at=row.stopped_at,
            ran=row.ran,
            job=_facts(busy[row.job_id]) if row.job_id in busy else None,
        )
        for row in rows
    ]
    return sorted(found, key=lambda each: (each.stopped_at is not None, each.job is None))


def names() -> list[str]:
    """The jobs that are, or were, on the queue."""
    return list(Job.objects.order_by("name").values_list("name", flat=True).distinct())


def counts_by_state() -> dict[str, int]:
    """How many jobs are in each state; every state is there."""
    found = dict(Job.objects.values_list("state").annotate(Count("pk")))
    return {state: found.get(state, 0) for state in STATES}


def longest_wait(now: datetime) -> timedelta | None:
    """For how long the oldest due job has waited; None when none is due."""
    due = Job.objects.filter(state=QUEUED, run_at__lte=now).order_by("run_at", "id")
    first = due.values_list("run_at", flat=True).first()
    return None if first is None else now - first


def last_queued(now: datetime) -> datetime | None:
    """When timed work was last queued; None when it never was, but by a clock that ran ahead."""
    seen = TimedJob.objects.filter(seen_at__lte=now + CLOCK_TOLERANCE).order_by("-seen_at")
    return seen.values_list("seen_at", flat=True).first()


def timed_jobs() -> list[TimedFacts]:
    """Every timed job with its last ended run, by name; four queries however many there are."""
    slots = {row.name: row.last_slot for row in TimedJob.objects.all()}
    ended = Job.objects.filter(slot__isnull=False, finished_at__isnull=False)
    newest = ended.values("name").annotate(newest=Max("pk")).values_list("newest", flat=True)
    last = {row.name: _facts(row) for row in Job.objects.filter(pk__in=list(newest))}
    return [
        TimedFacts(
            spec.name,
            spec.description,
            spec.every,
            last.get(spec.name),
            slot_start(slots[spec.name] + 1, spec.every, spec.offset)
            if spec.name in slots
            else None,
        )
        for spec in declared_jobs()
        if spec.every is not None
    ]


def _facts(row: Job) -> JobFacts:
    return JobFacts(
        job_id=row.pk,
        **{name: getattr(row, name) for name in JobFacts.__slots__ if name != "job_id"},
    )
