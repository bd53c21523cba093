"""A policy is tried on the past as a job, because a month of hours takes its time."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from muhafiz.accounts.rules import check_may
from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.detection.models import Simulation
from muhafiz.detection.rules import BadPolicy, Policy, check_policy
from muhafiz.detection.simulation import Tick, compare
from muhafiz.jobs.actions.queue import enqueue_job

SIMULATE_JOB = "detection.simulate"
DAYS_MOST = 90


@transaction.atomic
def queue_simulation(*, policy: Policy, title: str, days: int, actor: Actor, now: datetime) -> int:
    """Queue the trial of a policy over the last days; the simulation's number.

    Raises:
        NotAllowed: the actor may not edit policies.
        BadPolicy: it makes no sense, or the days are none or too many.
    """
    check_may(actor, "policies.edit")
    check_policy(policy)
    if not 1 <= days <= DAYS_MOST:
        raise BadPolicy(reason=f"it can be tried on 1 to {DAYS_MOST} days.")
    row = Simulation.objects.create(
        title=title[:200],
        policy=policy_data(policy),
        days=days,
        made_at=now,
        made_by=actor.name[:200],
    )
    row.job_id = enqueue_job(SIMULATE_JOB, {"simulation_id": row.pk}, actor=actor, now=now)
    row.save(update_fields=["job_id"])
    record_entry(
        actor=actor,
        now=now,
        action="detection.queue_simulation",
        subject=f"policy:{policy.code}",
        details={"simulation": row.pk, "days": days},
    )
    return row.pk


def run_simulation(simulation_id: int, *, now: datetime, tick: Tick) -> None:
    """Compare and keep the result; one that is finished stays as it is."""
    row = Simulation.objects.get(pk=simulation_id)
    if row.finished_at is not None:
        return
    since = row.made_at - timedelta(days=row.days)
    found = compare(Policy(**row.policy), since=since, until=row.made_at, tick=tick)
    row.result, row.finished_at = asdict(found), now
    row.save(update_fields=["result", "finished_at"])


def policy_data(policy: Policy) -> dict[str, Any]:
    """The policy's fields as JSON holds them."""
    return {name: value for name, value in asdict(policy).items() if name != "valid_from"}
