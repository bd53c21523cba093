"""Notices that nobody could be written to about."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from muhafiz.detection.queries import undeliverable
from muhafiz.triage.waiting import Waiting

KIND = "undeliverable-notice"
PERMISSION = "notices.read"
EVERY = timedelta(minutes=1)

_MOST = 1_000_000


def waiting(now: datetime) -> Iterator[Waiting]:
    """One item for each organization without a contact, not for each of its notices."""
    del now
    told: dict[int, Waiting] = {}
    events: dict[int, int] = {}
    for notice in undeliverable(limit=_MOST):  # the latest first: the earliest gives `since`
        owner = notice.organization_id
        events[owner] = events.get(owner, 0) + notice.events
        told[owner] = Waiting(
            key=str(owner),
            title="nobody-to-write-to",
            params={"events": events[owner]},
            severity="medium",
            since=notice.created_at,
            organization_id=owner,
            tlp=notice.tlp,
            route="constituent",
            route_args={"organization_id": owner},
            count=told[owner].count + 1 if owner in told else 1,
            more=(("policy", notice.policy_code), ("reason", notice.reason)),
        )
    yield from told.values()
