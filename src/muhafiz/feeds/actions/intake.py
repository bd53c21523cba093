"""The one way in: a report's raw bytes are kept, then its row, its job and its audit entry.

1. The bytes are on the disk (raw_store) before anything tells of them.
2. One transaction makes the report's row, queues its reading and writes the audit entry.
3. Only then is the report acknowledged.

The same bytes delivered twice to the same feed are one report; the second delivery is answered
with the first. It is a sign of life all the same, and ends the doubt about the first's sender.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

from django.conf import settings
from django.db import transaction

from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.feeds import rules
from muhafiz.feeds.models import Feed, Report
from muhafiz.feeds.raw_store import RawFile, RawStore
from muhafiz.feeds.sources import HEAD_BYTES, all_sources
from muhafiz.feeds.unpacking import CannotUnpack, base_name, first_head, is_packed
from muhafiz.jobs.actions.queue import enqueue_job

PROCESS_JOB = "feeds.process_report"
_STRANGE = "No feed recognizes these bytes; assign it to one."


@dataclass(frozen=True, slots=True)
class KeptReport:
    """The answer to a delivery: the report's number, and whether it had been delivered before."""

    id: int
    duplicate: bool
    sha256: str
    feed: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """Bytes that are kept already, and what is known of how they came. `feed` None: no feed's.

    `trouble` (reason, detail) keeps them from being read until a person has looked.
    """

    raw: RawFile
    feed: str | None
    file_name: str
    received_at: datetime
    door: str
    identifier: str = ""
    trouble: tuple[str, str] | None = None


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
    identifier: str = "",
) -> KeptReport:
    """Keep a report as it came and queue its reading.

    `feed` is a feed's name; None lets the bytes and the file name tell. What no feed recognizes is
    kept under the feed "unrecognized", quarantined until a person assigns it. `door` says by which
    way it came; `identifier` is the sender's own name for it, when there is one.

    Raises:
        UnknownFeed: the feed named does not exist or is switched off; nothing was kept.
        DiskNearlyFull: nothing was kept, nothing is acknowledged.
    """
    if feed is not None and not Feed.objects.filter(name=feed, enabled=True).exists():
        raise rules.UnknownFeed(feed=feed)
    store = raw_store()
    kept = store.keep(raw)
    name = base_name(file_name)
    chosen, trouble = (feed, None) if feed else guess_feed(store, kept, name)
    delivery = Delivery(kept, chosen, name, received_at, door, identifier, trouble)
    return record_delivery(delivery, actor=actor, now=now)


def guess_feed(
    store: RawStore, kept: RawFile, file_name: str
) -> tuple[str | None, tuple[str, str] | None]:
    """The name of the feed that kept bytes belong to; or None and the trouble with them."""
    try:
        member, head = _head(store, kept, file_name)
    except CannotUnpack as refusal:
        return None, (refusal.reason, str(refusal))
    scores = {name: source.recognizes(member, head) for name, source in all_sources().items()}
    feeds = list(Feed.objects.filter(enabled=True).exclude(source="").order_by("id"))
    choices = [rules.FeedChoice(feed.pk, feed.source, feed.file_pattern) for feed in feeds]
    chosen = rules.choose_feed((file_name, member), scores, choices)
    found = next((feed.name for feed in feeds if feed.pk == chosen), None)
    return found, None if found else (rules.UNRECOGNIZED, _STRANGE)


def _head(store: RawStore, kept: RawFile, file_name: str) -> tuple[str, bytes]:
    with store.opened(kept.sha256) as stream:
        head = stream.read(HEAD_BYTES)
    if not is_packed(head):
        return file_name, head
    with store.opened_seekable(kept.sha256) as stream:
        return first_head(stream, file_name, size=kept.size, length=HEAD_BYTES)


@transaction.atomic
def record_delivery(delivery: Delivery, *, actor: Actor, now: datetime) -> KeptReport:
    """Make the row of bytes already kept, queue its reading, write the audit entry."""
    feed = _feed_for(delivery.feed, now)
    quarantine = delivery.trouble
    report, made = Report.objects.get_or_create(
        feed=feed, sha256=delivery.raw.sha256, defaults=_first_values(delivery, quarantine)
    )
    if _is_sign_of_life(delivery, made=made):
        Feed.objects.filter(pk=feed.pk).update(last_report_at=now)
    if not made and quarantine is None:
        _end_doubt(report, actor=actor, now=now)
    if made:
        if quarantine is None:
            queue_reading(report.pk, actor=actor, now=now)
        record_entry(
            actor=actor,
            now=now,
            action="feeds.keep_report",
            subject=f"report:{report.pk}",
            details={
                "feed": feed.name,
                "file": report.file_name,
                "sha256": report.sha256,
                "size": report.size,
                "door": report.door,
            },
        )
    return KeptReport(report.pk, duplicate=not made, sha256=report.sha256, feed=feed.name)


def _is_sign_of_life(delivery: Delivery, *, made: bool) -> bool:
    """Whether the feed's sender speaks: anybody can send what is doubted, we what is fetched."""
    doubted = delivery.feed is not None and delivery.trouble is not None
    return not doubted and (made or delivery.door != "api")


def _end_doubt(report: Report, *, actor: Actor, now: datetime) -> None:
    """Read what came from an unknown sender first, now that it came from one who is known."""
    doubted = Report.objects.filter(
        pk=report.pk, state=Report.State.QUARANTINED, reason=rules.UNKNOWN_SENDER
    )
    if not doubted.update(state=Report.State.RECEIVED, reason="", detail=""):
        return
    queue_reading(report.pk, actor=actor, now=now)
    record_entry(actor=actor, now=now, action="feeds.confirm_sender", subject=f"report:{report.pk}")


def _first_values(delivery: Delivery, quarantine: tuple[str, str] | None) -> dict[str, Any]:
    reason, detail = quarantine or ("", "")
    return {
        "file_name": delivery.file_name,
        "size": delivery.raw.size,
        "door": delivery.door,
        "identifier": delivery.identifier,
        "received_at": delivery.received_at,
        "state": Report.State.QUARANTINED if quarantine else Report.State.RECEIVED,
        "reason": reason,
        "detail": detail,
    }


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
