"""The feeds that every installation begins with: one per source, fed from files and mail."""

from __future__ import annotations

from datetime import datetime

from muhafiz.common.actor import Actor
from muhafiz.feeds.actions.feeds import create_feed
from muhafiz.feeds.queries import feed_names
from muhafiz.feeds.sources import all_sources

_NOT_BY_ITSELF = frozenset({"generic"})
"""Sources that read nothing before somebody gave them a mapping."""


def make_standard_feeds(*, actor: Actor, now: datetime) -> None:
    """Make a feed named like each source, where there is none of that name yet."""
    there = set(feed_names())
    for source in all_sources().values():
        if source.name in there or source.name in _NOT_BY_ITSELF:
            continue
        create_feed(name=source.name, source=source.name, title=source.title, actor=actor, now=now)
