"""Findings of which their owner says “not ours”: the desk decides."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from muhafiz.common.actor import Actor
from muhafiz.detection.queries import findings
from muhafiz.triage.waiting import Waiting

KIND = "answer"
PERMISSION = "findings.read"
EVERY = timedelta(minutes=1)

_MOST = 1_000_000


def waiting(now: datetime) -> Iterator[Waiting]:
    """One item for each denial that waits: if it is right, somebody else was never told."""
    del now
    for one in findings(viewer=Actor.job("triage.sweep"), review="waiting", limit=_MOST):
        yield Waiting(
            key=str(one.id),
            title="answer-not-ours",
            params={"type": one.type, "number": one.number},
            severity="medium",
            since=one.state_at,
            organization_id=one.organization_id,
            tlp=one.tlp,
            reference=one.number,
            route="not-ours",
            route_args={"finding_id": one.id},
            likeness="answer-not-ours",
        )
