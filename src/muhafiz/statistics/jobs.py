"""Timed work: the weekly figures."""

from __future__ import annotations

from datetime import timedelta

from muhafiz.jobs.registry import JobRun, job
from muhafiz.statistics.actions.publication import publish_due_weeks


@job("statistics.publish", every=timedelta(minutes=10), attempts=3, lease=timedelta(minutes=10))
def publish(run: JobRun) -> None:
    """Publish the figures of weeks that are over."""
    publish_due_weeks(actor=run.actor, now=run.now())
