"""Events of the last days that belong to nobody, one item for each AS number."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from muhafiz.lake.queries import top
from muhafiz.lake.query import EventQuery
from muhafiz.triage.waiting import Waiting

KIND = "unowned-events"
PERMISSION = "events.read"
EVERY = timedelta(minutes=15)

_DAYS = timedelta(days=7)
_MOST = 200
_MANY = 1_000


def waiting(now: datetime) -> Iterator[Waiting]:
    """The networks that nobody claims, those with the most events first."""
    for found in top(EventQuery(nobody=True, since=now - _DAYS), by="asn", limit=_MOST):
        known = found.value is not None
        yield Waiting(
            key=f"asn:{found.value}" if known else "asn:none",
            title="events-of-nobody" if known else "events-without-network",
            params={"asn": f"AS{found.value}"} if known else {},
            severity="medium" if found.events >= _MANY else "low",
            tlp="AMBER",
            reference=f"AS{found.value}" if known else "",
            route="events",
            route_query={"nobody": "yes"} | ({"asn": int(found.value or 0)} if known else {}),
            likeness="events-of-nobody",
            count=found.events,
        )
