"""Timed work: digests, findings, notices that found a contact, files nobody needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from muhafiz.detection.actions.exposure import gather_findings
from muhafiz.detection.actions.housekeeping import tidy_files
from muhafiz.detection.actions.notices import send_due_notices
from muhafiz.detection.actions.resending import send_stranded
from muhafiz.detection.actions.simulations import SIMULATE_JOB, run_simulation
from muhafiz.jobs.registry import JobRun, job


@dataclass(frozen=True, slots=True)
class _RunClock:
    """The run's time as a clock."""

    run: JobRun

    def now(self) -> datetime:
        """The present moment, timezone-aware, UTC."""
        return self.run.now()


@job("detection.digest", every=timedelta(minutes=1), attempts=5, lease=timedelta(minutes=10))
def digest(run: JobRun) -> None:
    """Gather new events and compose the letters of every policy whose window has closed."""
    send_due_notices(
        actor=run.actor,
        clock=_RunClock(run),
        progress=lambda done, total, note: run.report(done=done, total=total, note=note),
    )


@job("detection.gather_findings", every=timedelta(minutes=1), attempts=3, lease=timedelta(hours=1))
def findings(run: JobRun) -> None:
    """Count what has changed in the lake into findings; end exceptions, close what is gone."""
    gather_findings(actor=run.actor, now=run.now())


@job("detection.send_stranded", every=timedelta(hours=1), attempts=3, lease=timedelta(minutes=10))
def stranded(run: JobRun) -> None:
    """Send notices that reached nobody (no contact, no usable key, a dead address) and now can."""
    send_stranded(actor=run.actor, now=run.now())


@job("detection.tidy_files", every=timedelta(days=1), attempts=3, lease=timedelta(minutes=30))
def tidy_notice_files(run: JobRun) -> None:
    """Remove pools that were planned, told files that were merged, and what crashes left."""
    tidy_files(actor=run.actor, now=run.now())


@job(SIMULATE_JOB, attempts=2, lease=timedelta(minutes=30))
def simulate_policy(run: JobRun, *, simulation_id: int) -> None:
    """Try a policy on the past: who would have got what under it, against what holds."""
    run_simulation(
        simulation_id,
        now=run.now(),
        tick=lambda done, total: run.report(done=done, total=total, note="windows of the past"),
    )
