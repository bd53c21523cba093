"""People and rooms put jobs on the queue, take them off, and try them again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.common.refusal import Refusal
from muhafiz.jobs.models import Job
from muhafiz.jobs.registry import find_job
from muhafiz.jobs.rules import ACTIVE, CANCELLED, FAILED, QUEUED, RUNNING

_LONGEST_KEY = 200


class NoSuchJob(Refusal):
    """The queue holds no job of this number."""

    text = "There is no job {job_id} on the queue."


class CannotCancel(Refusal):
    """The job has ended already."""

    text = "Job {job_id} is {state} already."


class CannotRetry(Refusal):
    """The job is still waiting or running, was done, or its like is on the queue again."""

    text = "Job {job_id} cannot be tried again: {reason}."


@transaction.atomic
def enqueue_job(
    name: str,
    payload: Mapping[str, Any],
    *,
    actor: Actor,
    now: datetime,
    run_at: datetime | None = None,
    unique_key: str | None = None,
) -> int:
    """Put a job on the queue within the caller's transaction and return its number.

    Nobody sees it before the commit, and a rollback takes it back. When a job with `unique_key`
    is queued or running, that one's number is returned instead. What people or commands queue is
    written to the audit log (so call it late in an action, as `record_entry`); what a job queues
    is part of that job.

    Raises:
        UnknownJob: no room declares it.
        TypeError: the payload is not JSON.
        ValueError: the unique key is too long.
    """
    spec = find_job(name)
    if unique_key is not None and len(unique_key) > _LONGEST_KEY:
        raise ValueError(f"A unique key has at most {_LONGEST_KEY} characters.")
    row = Job(
        name=name,
        payload=json.dumps(payload, sort_keys=True, allow_nan=False),
        unique_key=unique_key,
        queued_by=str(actor),
        queued_at=now,
        run_at=run_at or now,
        attempts=spec.attempts,
    )
    found = _active(unique_key)
    if found is not None:
        return found
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:  # another process queued its like in this moment
        found = _active(unique_key)
        if found is None:
            raise
        return found
    if actor.kind != "job":
        record_entry(
            actor=actor,
            now=now,
            action="jobs.enqueue_job",
            subject=f"job:{row.pk}",
            details={"name": name},
        )
    return row.pk


@transaction.atomic
def cancel_job(job_id: int, *, actor: Actor, now: datetime) -> None:
    """Take a waiting job off the queue; ask a running one to stop at its next report.

    Raises:
        NoSuchJob, CannotCancel: there is nothing to cancel.
    """
    waiting = Job.objects.filter(pk=job_id, state=QUEUED)
    if not waiting.update(state=CANCELLED, finished_at=now):
        asked = Job.objects.filter(pk=job_id, state=RUNNING).update(cancel_asked=True)
        if not asked:
            raise CannotCancel(job_id=job_id, state=_state(job_id))
    record_entry(actor=actor, now=now, action="jobs.cancel_job", subject=f"job:{job_id}")


@transaction.atomic
def retry_job(job_id: int, *, actor: Actor, now: datetime) -> None:
    """Put a failed or cancelled job back on the queue, with all its attempts before it.

    Raises:
        NoSuchJob, CannotRetry: it has not ended that way, or its like is on the queue.
    """
    ended = Job.objects.filter(pk=job_id, state__in=(FAILED, CANCELLED))
    try:
        with transaction.atomic():
            changed = ended.update(
                state=QUEUED,
                run_at=now,
                attempts=_attempts(job_id),
                finished_at=None,
                cancel_asked=False,
                error="",
            )
    except IntegrityError:
        raise CannotRetry(job_id=job_id, reason="its like is on the queue again") from None
    if not changed:
        raise CannotRetry(job_id=job_id, reason=f"it is {_state(job_id)}")
    record_entry(actor=actor, now=now, action="jobs.retry_job", subject=f"job:{job_id}")


def _attempts(job_id: int) -> int:
    """The claims it may reach: those it has used, and a full round more."""
    row = Job.objects.filter(pk=job_id).first()
    if row is None:
        raise NoSuchJob(job_id=job_id)
    return row.attempt + find_job(row.name).attempts


def _state(job_id: int) -> str:
    state = Job.objects.filter(pk=job_id).values_list("state", flat=True).first()
    if state is None:
        raise NoSuchJob(job_id=job_id)
    return state


def _active(unique_key: str | None) -> int | None:
    if unique_key is None:
        return None
    found = Job.objects.filter(unique_key=unique_key, state__in=ACTIVE)
    return found.values_list("pk", flat=True).first()
