"""The one way in: a report's raw bytes are kept, then its row, its job and its audit entry.

1. The bytes are on the disk (raw_store) before anything tells of them.
2. One transaction makes the report's row, queues its reading and writes the audit entry.
3. Only then is the report acknowledged.

The same bytes delivered twice to the same feed are one report; the second delivery is answered
with the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from django.conf import settings
from django.db import transaction

from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.feeds import rules
from muhafiz.feeds.models import Feed, Report
from muhafiz.feeds.raw_store import RawFile, RawStore
from muhafiz.feeds.sources import HEAD_BYTES, all_sources
from muhafiz.feeds.unpacking import base_name, first_head, is_packed
from muhafiz.jobs.actions.queue import enqueue_job

PROCESS_JOB = "feeds.process_report"


@dataclass(frozen=True, slots=True)
class KeptReport:
    """The answer to a delivery: the report's number, and whether it had been delivered before."""

    id: int
    duplicate: bool
    sha256: str
    feed: str


def raw_store() -> RawStore:
    """The store of raw reports of this installation."""
    return RawStore(settings.REPORTS, free_percent=settings.FREE_DISK_PERCENT)


def keep_report(
    *,
    feed: str | None,
    file_name: str,
    raw: BinaryIO | bytes,
    received_at: datetime,
    actor: Actor,
    now: datetime,
    door: str = "api",
) -> KeptReport:
    """Keep a report as it came and queue its reading.

    `feed` is a feed's name; None lets the bytes and the file name tell. What no feed recognizes is
    kept under the feed "unrecognized", quarantined until a person assigns it.

    Raises:
        UnknownFeed: the feed named does not exist or is switched off; nothing was kept.
        DiskNearlyFull: nothing was kept, nothing is acknowledged.
    """
    if feed is not None and not Feed.objects.filter(name=feed, enabled=True).exists():
        raise rules.UnknownFeed(feed=feed)
    store = raw_store()
    kept = store.keep(raw)
    name = base_name(file_name)
    chosen = feed or guess_feed(store, kept, name)
    return _record(kept, feed=chosen, name=name, received_at=received_at, door=door,
                   actor=actor, now=now)  # fmt: skip


def guess_feed(store: RawStore, kept: RawFile, file_name: str) -> str | None:
    """The name of the feed that kept bytes belong to; None when none can read them."""
    member, head = _head(store, kept, file_name)
    scores = {name: source.recognizes(member, head) for name, source in all_sources().items()}
    feeds = list(Feed.objects.filter(enabled=True).exclude(source="").order_by("id"))
    choices = [rules.FeedChoice(feed.pk, feed.source, feed.file_pattern) for feed in feeds]
    chosen = rules.choose_feed(member, scores, choices)
    return next((feed.name for feed in feeds if feed.pk == chosen), None)


def _head(store: RawStore, kept: RawFile, file_name: str) -> tuple[str, bytes]:
    with store.opened(kept.sha256) as stream:
        head = stream.read(HEAD_BYTES)
    if not is_packed(head):
        return file_name, head
    with store.opened_seekable(kept.sha256) as stream:
        return first_head(stream, file_name, size=kept.size, length=HEAD_BYTES)


@transaction.atomic
def _record(
    kept: RawFile,
    *,
    feed: str | None,
    name: str,
    received_at: datetime,
    door: str,
    actor: Actor,
    now: datetime,
) -> KeptReport:
    keeper = _feed_for(feed, now)
    state = Report.State.RECEIVED if feed else Report.State.QUARANTINED
    report, made = Report.objects.get_or_create(
        feed=keeper,
        sha256=kept.sha256,
        defaults={
            "file_name": name,
            "size": kept.size,
            "door": door,
            "received_at": received_at,
            "state": state,
            "reason": "" if feed else rules.UNRECOGNIZED,
            "detail": "" if feed else "No feed recognizes these bytes; assign the report to one.",
        },
    )
    if made:
        Feed.objects.filter(pk=keeper.pk).update(last_report_at=now)
        if feed:
            queue_reading(report.pk, actor=actor, now=now)
        details: Mapping[str, str | int] = {
            "feed": keeper.name, "file": name, "sha256": kept.sha256, "size": kept.size,
            "door": door,
        }  # fmt: skip
        record_entry(
            actor=actor, now=now, action="feeds.keep_report", subject=f"report:{report.pk}",
            details=details,
        )  # fmt: skip
    return KeptReport(report.pk, duplicate=not made, sha256=kept.sha256, feed=keeper.name)


def queue_reading(report_id: int, *, actor: Actor, now: datetime) -> int:
    """Queue the reading of a report, once however often it is asked; the job's number."""
    return enqueue_job(
        PROCESS_JOB,
        {"report_id": report_id},
        actor=actor,
        now=now,
        unique_key=f"{PROCESS_JOB}:{report_id}",
    )


def _feed_for(name: str | None, now: datetime) -> Feed:
    if name is not None:
        return Feed.objects.get(name=name)
    return Feed.objects.get_or_create(
        name=rules.UNRECOGNIZED,
        defaults={"title": "Unrecognized reports", "source": "", "tlp": "AMBER", "created_at": now},
    )[0]
