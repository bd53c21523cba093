"""Workers claim jobs by conditional update, keep their lease, and end them.

A run is owned by (worker, attempt): every write of a run is conditional on both, so a worker that
was taken over can no longer change the job.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet

from muhafiz.jobs.models import ClockMark, Job, JobHistory
from muhafiz.jobs.registry import Answer, Progress, UnknownJob, find_job
from muhafiz.jobs.rules import (
    CANCELLED,
    DONE,
    FAILED,
    QUEUED,
    RUNNING,
    clock_went_back,
    pause_after,
    without_secrets,
)

_SILENT = "The worker fell silent: it was killed, or worked longer than its lease without a report."
_DEFAULT_LEASE = timedelta(minutes=10)
_MARK_EVERY = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Claim:
    """A run that a worker owns."""

    job_id: int
    name: str
    payload: str
    worker: str
    attempt: int
    attempts: int
    lease: timedelta


def claim_job(*, worker: str, now: datetime) -> Claim | None:
    """Take the job that has waited longest, or one whose worker fell silent; None when all rest."""
    due = Q(state=QUEUED, run_at__lte=now) | Q(state=RUNNING, leased_until__lt=now)
    waiting = Job.objects.filter(due).order_by("run_at", "id")
    while waiting.exists():  # a plain read: an idle worker takes no write lock
        with transaction.atomic():
            row = waiting.select_for_update(skip_locked=True).first()
            if row is None:  # others hold what is due
                return None
            claim = _take(row, worker, now)
        if claim is not None:
            return claim
    return None


def _take(row: Job, worker: str, now: datetime) -> Claim | None:
    mine = Job.objects.filter(
        pk=row.pk, state=row.state, attempt=row.attempt, leased_until=row.leased_until
    )
    if row.state == RUNNING and (row.cancel_asked or row.attempt >= row.attempts):
        _bury(row, mine, now)
        return None
    attempt, lease = row.attempt + 1, _lease(row.name)
    claimed = mine.update(
        state=RUNNING,
        worker=worker,
        attempt=attempt,
        leased_until=now + lease,
        started_at=now,
        done=None,
        total=None,
        note="",
    )
    if not claimed:
        return None
    _close_history(row, "lost", now, _SILENT)
    JobHistory.objects.create(job=row, attempt=attempt, worker=worker, started_at=now)
    return Claim(row.pk, row.name, row.payload, worker, attempt, row.attempts, lease)


def _bury(row: Job, mine: QuerySet[Job], now: datetime) -> None:
    """End a job whose last worker died: as it was asked to, or because its attempts are used up."""
    state = CANCELLED if row.cancel_asked else FAILED
    if mine.update(state=state, finished_at=now, leased_until=None, error=_SILENT):
        _close_history(row, "lost", now, _SILENT)


def _lease(name: str) -> timedelta:
    try:
        return find_job(name).lease
    except UnknownJob:
        return _DEFAULT_LEASE


def keep_lease(claim: Claim, progress: Progress, *, now: datetime) -> Answer:
    """Write a run's progress and extend its lease; tells whether it may go on."""
    kept = _owned(claim).update(
        leased_until=now + claim.lease,
        done=progress.done,
        total=progress.total,
        note=without_secrets(progress.note),
    )
    if not kept:
        return "lost"
    asked = Job.objects.filter(pk=claim.job_id).values_list("cancel_asked", flat=True).first()
    return "cancelled" if asked else "go on"


@transaction.atomic
def end_run(
    claim: Claim, *, outcome: str, error: str = "", final: bool = False, now: datetime
) -> bool:
    """Close a run: "done", "cancelled", "failed" (tried again unless `final`), "stopped".

    A stopped run costs no attempt. Returns False when the run had been taken over meanwhile.
    """
    if outcome == "lost":
        return False
    changes: dict[str, Any] = {"leased_until": None, "error": without_secrets(error)}
    again = outcome == "stopped" or (
        outcome == "failed" and not final and claim.attempt < claim.attempts
    )
    if again:
        pause = pause_after(claim.attempt) if outcome == "failed" else timedelta(0)
        changes |= {"state": QUEUED, "run_at": now + pause}
        if outcome == "stopped":
            changes |= {"attempts": F("attempts") + 1}
    else:
        state = {"done": DONE, "cancelled": CANCELLED, "failed": FAILED}[outcome]
        changes |= {"state": state, "finished_at": now}
    if not _owned(claim).update(**changes):
        return False
    JobHistory.objects.filter(job_id=claim.job_id, attempt=claim.attempt, outcome="").update(
        outcome=outcome, finished_at=now, error=without_secrets(error)
    )
    return True


def mark_clock(*, now: datetime) -> None:
    """Keep the latest time seen; when the clock was set back, bring what waits back with it.

    Without this a clock set back ten days would make every queued retry and every dead worker's
    lease wait ten days.
    """
    mark = ClockMark.objects.filter(pk=1).first()  # a plain read: an idle worker locks nothing
    if mark is None:
        ClockMark.objects.get_or_create(pk=1, defaults={"latest": now})
    elif clock_went_back(now, mark.latest) or now >= mark.latest + _MARK_EVERY:
        _move_clock(mark, now)


@transaction.atomic
def _move_clock(mark: ClockMark, now: datetime) -> None:
    moved = ClockMark.objects.filter(pk=1, latest=mark.latest).update(latest=now)
    if moved and clock_went_back(now, mark.latest):
        back = mark.latest - now
        Job.objects.filter(state=QUEUED, run_at__gt=now).update(run_at=F("run_at") - back)
        Job.objects.filter(state=RUNNING, leased_until__gt=now).update(
            leased_until=F("leased_until") - back
        )


def _owned(claim: Claim) -> QuerySet[Job]:
    return Job.objects.filter(
        pk=claim.job_id, state=RUNNING, worker=claim.worker, attempt=claim.attempt
    )


def _close_history(row: Job, outcome: str, now: datetime, error: str) -> None:
    JobHistory.objects.filter(job=row, attempt=row.attempt, outcome="").update(
        outcome=outcome, finished_at=now, error=error
    )
