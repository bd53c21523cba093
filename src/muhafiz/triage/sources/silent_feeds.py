"""Feeds whose silence alarm stands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from muhafiz.feeds.queries import silent_feeds
from muhafiz.triage.waiting import Waiting

KIND = "silent-feed"
PERMISSION = "feeds.read"
EVERY = timedelta(minutes=1)


def waiting(now: datetime) -> Iterator[Waiting]:
    """One item for each silent feed; no report at all is worse than few rows."""
    for feed in silent_feeds(now=now):
        few = feed.silent_reason == "few-rows"
        yield Waiting(
            key=feed.name,
            title="feed-few-rows" if few else "feed-silent",
            params={"feed": feed.name},
            severity="medium" if few else "high",
            since=feed.silent_since,
            tlp="GREEN",
            reference=feed.name,
            route="feed",
            route_args={"name": feed.name},
            more=(("feed", feed.title), ("looks-after", feed.owner)),
        )
