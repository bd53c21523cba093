"""A feed that falls silent raises one alarm, with its owner's name; its next report ends it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Sum

from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.feeds import rules
from muhafiz.feeds.models import Feed


def watch_feeds(*, actor: Actor, now: datetime) -> tuple[int, int]:
    """Raise and clear silence alarms of all feeds that are switched on: (raised, cleared).

    An alarm whose reason changes is raised anew: who knew of the one does not know of the other.
    """
    raised = cleared = 0
    for feed in Feed.objects.filter(enabled=True).exclude(source="").order_by("pk"):
        standing = rules.silence(
            watched_since=feed.created_at,
            last_report_at=feed.last_report_at,
            rows=_rows(feed, now),
            expected_every=feed.expected_every,
            expected_rows_per_day=feed.expected_rows_per_day,
            now=now,
        )
        if standing and feed.silent_reason != standing[1]:
            raised += _note(feed.pk, *standing, actor=actor, now=now)
        elif standing is None and feed.silent_reason:
            cleared += _note(feed.pk, None, "", actor=actor, now=now)
    return raised, cleared


def _rows(feed: Feed, now: datetime) -> int:
    """The rows that the feed brought in the window by which its volume is judged."""
    since = now - rules.volume_window(feed.expected_every)
    found = feed.reports.filter(received_at__gt=since).aggregate(rows=Sum("rows_read"))
    return int(found["rows"] or 0)


@transaction.atomic
def _note(feed_id: int, since: datetime | None, reason: str, *, actor: Actor, now: datetime) -> int:
    """Set or clear one feed's alarm unless another worker did already; 1 when done."""
    feed = Feed.objects.select_for_update().get(pk=feed_id)
    if feed.silent_reason == reason:
        return 0
    feed.silent_since, feed.silent_reason = since, reason
    feed.quiet_until, feed.quiet_by, feed.quiet_note = None, "", ""
    feed.save(
        update_fields=["silent_since", "silent_reason", "quiet_until", "quiet_by", "quiet_note"]
    )
    record_entry(
        actor=actor,
        now=now,
        action="feeds.raise_silence" if reason else "feeds.clear_silence",
        subject=f"feed:{feed.name}",
        details={
            "reason": reason,
            "owner": feed.owner,
            "since": since.isoformat() if since else "",
        },
    )
    return 1
