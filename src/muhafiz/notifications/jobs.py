"""The post office's timed work."""

from __future__ import annotations

from datetime import timedelta

from muhafiz.jobs.registry import JobRun, job
from muhafiz.notifications.actions.delivery import deliver_due
from muhafiz.notifications.actions.leftovers import list_left_messages
from muhafiz.notifications.actions.outbox import DELIVER


@job(DELIVER, every=timedelta(minutes=1), attempts=3, lease=timedelta(minutes=10))
def deliver(run: JobRun) -> None:
    """Hand the letters that are due to the mail server, one after the other."""
    list_left_messages(actor=run.actor, now=run.now())
    delivery = deliver_due(
        actor=run.actor, clock=run.now, progress=lambda done: run.report(done=done)
    )
    run.report(done=delivery.done, total=delivery.done, note=delivery.stopped)


@job("notifications.list_left", every=timedelta(minutes=1), attempts=1, lease=timedelta(minutes=2))
def list_left(run: JobRun) -> None:
    """List as unsure the letters that a crash left between handing over and noting the answer."""
    left = list_left_messages(actor=run.actor, now=run.now())
    run.report(done=left, total=left, note="")
