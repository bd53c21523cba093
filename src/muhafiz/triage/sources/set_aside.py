"""Rows that could not be read, one item for each reason."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from muhafiz.feeds.queries import set_aside_groups
from muhafiz.triage.waiting import Waiting

KIND = "set-aside"
PERMISSION = "reports.read"
EVERY = timedelta(minutes=5)

_MANY = 1_000


def waiting(now: datetime) -> Iterator[Waiting]:
    """Many rows with one fault mean a changed source: that is worse than a few odd ones."""
    del now
    for group in set_aside_groups():
        column = f" {group.column}" if group.column else ""
        yield Waiting(
            key=f"{group.reason}:{group.column}"[:200],
            title="rows-set-aside",
            params={"reason": f"{group.reason}{column}"},
            severity="medium" if group.rows >= _MANY else "low",
            tlp="GREEN",
            reference=group.reason,
            route="set-aside",
            route_query={"reason": group.reason},
            count=group.rows,
            more=(("reports", str(group.reports)), ("example", group.example_detail[:300])),
        )
