"""What constituents claim as their own: the desk approves or refuses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from muhafiz.common.actor import Actor
from muhafiz.constituency.holdings import open_requests
from muhafiz.triage.waiting import Waiting

KIND = "claim-request"
PERMISSION = "constituency.read"
EVERY = timedelta(minutes=1)

_MOST = 1_000_000


def waiting(now: datetime) -> Iterator[Waiting]:
    """One item for each request; until it is decided, nobody is told of that network."""
    del now
    for one in open_requests(viewer=Actor.job("triage.sweep"), limit=_MOST):
        ends = one.wanted == "end"
        yield Waiting(
            key=str(one.id),
            title="claim-ended" if ends else "claim-asked",
            params={"claim": one.text},
            severity="medium",
            since=one.asked_at,
            organization_id=one.organization_id,
            tlp="AMBER",
            reference=f"C-{one.id}",
            route="request",
            route_args={"request_id": one.id},
            more=(("said", one.note), ("by", one.asked_by)),
        )
