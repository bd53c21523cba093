"""Timed work: contacts are asked whether they are still right."""

from __future__ import annotations

from datetime import timedelta

from muhafiz.constituency.actions.asking import ask_some_contacts
from muhafiz.jobs.registry import JobRun, job


@job("constituency.ask_contacts", every=timedelta(days=1), attempts=3, lease=timedelta(minutes=10))
def ask_contacts(run: JobRun) -> None:
    """Ask long unconfirmed contacts by letter, as many a day as `liaison.asks_a_day` says."""
    asked = ask_some_contacts(actor=run.actor, now=run.now())
    run.report(done=asked, total=asked, note="")
