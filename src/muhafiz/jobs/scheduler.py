"""Puts timed jobs on the queue, once per slot."""

from __future__ import annotations

import threading
from datetime import datetime

import structlog
from django.db import (
    InterfaceError,
    OperationalError,
    close_old_connections,
    connection,
    transaction,
)

from muhafiz.common.actor import Actor
from muhafiz.common.clock import Clock
from muhafiz.jobs.actions.claims import mark_clock
from muhafiz.jobs.models import Job, TimedJob
from muhafiz.jobs.registry import JobSpec, declared_jobs
from muhafiz.jobs.rules import (
    ACTIVE,
    QUEUED,
    RUNNING,
    clock_went_back,
    slot_of,
    timed_step,
    without_secrets,
)

_SCHEDULER = Actor.job("jobs.scheduler")
_LOOK_SECONDS = 1.0
_TROUBLE_SECONDS = 5.0

log = structlog.get_logger(__name__)


def keep_schedule(clock: Clock, stop: threading.Event) -> None:
    """Queue timed jobs in their time until `stop` is set.

    A database that is locked, full or away is waited for.
    """
    while not stop.is_set():
        close_old_connections()
        try:
            schedule_due(clock)
        except (OperationalError, InterfaceError) as trouble:
            log.warning("database unavailable", error=without_secrets(str(trouble)))
            connection.close()
            stop.wait(_TROUBLE_SECONDS)
        else:
            stop.wait(_LOOK_SECONDS)
    connection.close()


def schedule_due(clock: Clock) -> int:
    """Queue every timed job whose slot has come; returns how many were queued.

    Any number of schedulers may call it at any time. Missed slots are worked once. While a job's
    earlier run is still going on, its new slot waits; while one still waits, it counts for both.
    """
    now = clock.now()
    mark_clock(now=now)
    timed = [spec for spec in declared_jobs() if spec.every is not None]
    rows = {row.name: row for row in TimedJob.objects.all()}
    queued = 0
    for spec in timed:
        queued += _schedule(spec, rows.get(spec.name), now)
    return queued


def timed_key(name: str) -> str:
    """The unique key of a timed job's run."""
    return f"timed:{name}"


def _schedule(spec: JobSpec, row: TimedJob | None, now: datetime) -> bool:
    assert spec.every is not None  # noqa: S101 - the caller chose timed jobs
    slot = slot_of(now, spec.every, spec.offset)
    step = timed_step(row.last_slot, row.highest_slot, slot) if row else "run"
    if step == "wait" or (step == "anchor" and _is_behind(row, slot, now)):
        return False
    if step == "run" and _is_running(spec):
        return False
    with transaction.atomic():
        if not _move(spec, row, slot, now):
            return False  # another scheduler was first
        return step == "run" and _queue(spec, slot, now)


def _is_behind(row: TimedJob | None, slot: int, now: datetime) -> bool:
    """Whether this machine's clock is only a little behind the one that was first."""
    return row is not None and slot < row.last_slot and not clock_went_back(now, row.seen_at)


def _is_running(spec: JobSpec) -> bool:
    return Job.objects.filter(unique_key=timed_key(spec.name), state=RUNNING).exists()


def _move(spec: JobSpec, row: TimedJob | None, slot: int, now: datetime) -> bool:
    if row is None:
        _, made = TimedJob.objects.get_or_create(
            name=spec.name, defaults={"last_slot": slot, "highest_slot": slot, "seen_at": now}
        )
        return made
    moved = TimedJob.objects.filter(name=spec.name, last_slot=row.last_slot).update(
        last_slot=slot, highest_slot=max(slot, row.highest_slot), seen_at=now
    )
    return bool(moved)


def _queue(spec: JobSpec, slot: int, now: datetime) -> bool:
    """Queue a run for the slot, or bring forward the one that waits."""
    active = Job.objects.filter(unique_key=timed_key(spec.name), state__in=ACTIVE)
    if active.exists():
        active.filter(state=QUEUED, run_at__gt=now).update(run_at=now)
        active.update(slot=slot)
        return False
    Job.objects.create(
        name=spec.name,
        unique_key=timed_key(spec.name),
        slot=slot,
        queued_by=str(_SCHEDULER),
        queued_at=now,
        run_at=now,
        attempts=spec.attempts,
    )
    return True
