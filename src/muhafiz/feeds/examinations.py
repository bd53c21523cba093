"""Whether reports come in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from django.conf import settings

from muhafiz.feeds.mailbox import BadMailbox, read_address
from muhafiz.feeds.queries import feed_states, silent_feeds
from muhafiz.health.registry import examination
from muhafiz.health.rules import Ailment, Fact, Finding, fact

SILENT = Ailment(
    "silent-feed",
    "warning",
    "{feed} is silent since {since}.",
    "Ask its sender, or say on its page that it is known.",
    route="feed",
)
TOO_FEW = Ailment(
    "few-rows",
    "warning",
    "{feed} brings too few rows since {since}.",
    "Ask its sender, or correct on its page what is expected.",
    route="feed",
)
BAD_MAILBOX = Ailment(
    "bad-mailbox",
    "fault",
    "The mailbox's address cannot be used: {reason}.",
    "Correct MUHAFIZ_IMAP_URL, for example `imaps://user:password@mail.example.org/INBOX`.",
)
CLOSED_DROP_FOLDER = Ailment(
    "closed-drop-folder",
    "fault",
    "Files laid into {folder} cannot be taken in: the platform may not read or remove them.",
    "Give the folder to the user that runs the platform.",
)

_MOST = 20  # feeds told one by one


@examination("feeds", "Feeds")
def feeds(now: datetime) -> Iterator[Finding | Fact]:
    """Silent feeds, and the doors that reports come through."""
    for feed in silent_feeds(now=now)[:_MOST]:
        ailment = TOO_FEW if feed.silent_reason == "few-rows" else SILENT
        yield ailment.found(
            feed=feed.title, since=feed.silent_since or now, route_args={"name": feed.name}
        )
    if settings.IMAP_URL:
        try:
            read_address(settings.IMAP_URL)
        except BadMailbox as no:
            yield BAD_MAILBOX.found(reason=str(no.params["reason"]))
    drop = Path(settings.DROP_FOLDER)
    if drop.exists() and not os.access(drop, os.R_OK | os.W_OK | os.X_OK):
        yield CLOSED_DROP_FOLDER.found(folder=str(drop))
    states = [state for state in feed_states(now=now) if state.enabled]
    yield fact(
        "Feeds that are on: {count}. Reports of the last day: {reports}.",
        count=len(states),
        reports=sum(state.reports for state in states),
    )
