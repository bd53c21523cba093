"""A worker takes due jobs one after the other. As many workers as wanted run side by side."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import threading
import traceback
from dataclasses import dataclass

import structlog
from django.db import InterfaceError, OperationalError, close_old_connections, connection

from muhafiz.common.clock import Clock
from muhafiz.common.memory import return_memory
from muhafiz.common.refusal import Refusal
from muhafiz.jobs.actions.claims import Claim, claim_job, end_run, keep_lease, mark_clock
from muhafiz.jobs.actions.presence import Presence
from muhafiz.jobs.registry import (
    Answer,
    CannotSucceed,
    JobCancelled,
    JobLost,
    JobRun,
    Progress,
    UnknownJob,
    WorkerStopping,
    find_job,
)
from muhafiz.jobs.rules import without_secrets

_IDLE_SECONDS = 0.5
_TROUBLE_SECONDS = 5.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Outcome:
    name: str
    error: str = ""
    final: bool = False


def worker_name() -> str:
    """A name for this worker that no other has: host, process, and a random part."""
    return f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(4)}"


def run_due(clock: Clock, *, limit: int | None = None) -> int:
    """Run the jobs that are due in this process, at most `limit`; returns how many were run.

    A job's failure is kept with the job, not raised.
    """
    return _drain(clock, worker_name(), threading.Event(), limit, None)


def work(clock: Clock, stop: threading.Event) -> None:
    """Run jobs until `stop` is set; a running job is asked to stop at its next report.

    A database that is locked or away is waited for.
    """
    name = worker_name()
    presence: Presence | None = None
    rested = True
    while not stop.is_set():
        close_old_connections()
        try:
            presence = presence or Presence(name, now=clock.now())
            ran = _drain(clock, name, stop, None, presence)
            presence.tell(None, now=clock.now())
        except (OperationalError, InterfaceError) as trouble:
            log.warning("database unavailable", worker=name, error=without_secrets(str(trouble)))
            connection.close()
            stop.wait(_TROUBLE_SECONDS)
        else:
            if not ran and not rested:
                return_memory()
            rested = not ran
            if rested:
                stop.wait(_IDLE_SECONDS)
    if presence is not None:
        with contextlib.suppress(OperationalError, InterfaceError):
            presence.leave(now=clock.now())


def _drain(
    clock: Clock,
    worker: str,
    stop: threading.Event,
    limit: int | None,
    presence: Presence | None,
) -> int:
    ran = 0
    while not stop.is_set() and (limit is None or ran < limit):
        mark_clock(now=clock.now())
        claim = claim_job(worker=worker, now=clock.now())
        if claim is None:
            break
        if presence is not None:
            presence.tell(claim.job_id, now=clock.now())
        _run(claim, clock, stop, presence)
        ran += 1
    return ran


def _run(claim: Claim, clock: Clock, stop: threading.Event, presence: Presence | None) -> None:
    def beat(progress: Progress) -> Answer:
        if presence is not None:
            presence.tell(claim.job_id, now=clock.now())
        answer = keep_lease(claim, progress, now=clock.now())
        return "stopping" if answer == "go on" and stop.is_set() else answer

    run = JobRun(claim.name, clock, beat, job_id=claim.job_id)
    outcome = _outcome(claim, run)
    kept = end_run(
        claim, outcome=outcome.name, error=outcome.error, final=outcome.final, now=clock.now()
    )
    told = {"done": log.debug, "failed": log.warning}.get(outcome.name, log.info)
    told(
        "job ended",
        job=claim.job_id,
        name=claim.name,
        attempt=claim.attempt,
        outcome=outcome.name if kept else "taken over",
    )


def _outcome(claim: Claim, run: JobRun) -> _Outcome:
    """Call the job's function; whatever it raises ends here."""
    try:
        find_job(claim.name).function(run, **json.loads(claim.payload))
    except JobCancelled:
        return _Outcome("cancelled")
    except JobLost:
        return _Outcome("lost")
    except WorkerStopping:
        return _Outcome("stopped")
    except (CannotSucceed, UnknownJob, Refusal) as told:  # its sentence; where it was said is noise
        return _Outcome("failed", str(told), final=not isinstance(told, Refusal))
    except Exception:  # noqa: BLE001 - the job's edge: kept with the job, the worker goes on
        return _Outcome("failed", traceback.format_exc())
    return _Outcome("done")
