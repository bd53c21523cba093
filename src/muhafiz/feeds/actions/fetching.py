"""Reports are fetched from their senders' APIs, on each feed's own schedule.

Each feed has a watermark: the moment up to which everything was fetched. A fetch asks for the days
from the watermark's to today, keeps what it does not have, and moves the watermark only when the
sender's answer was read to its end. A report that can never be had holds it back for `_MOST_DAYS`
days: so long the days' list is asked for, and of its reports only that one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.feeds import rules
from muhafiz.feeds.actions.feeds import secrets_context
from muhafiz.feeds.actions.intake import KeptReport, keep_report
from muhafiz.feeds.models import Feed, Report
from muhafiz.feeds.sources import CannotFetch, FetchedReport, ParseContext, source_named
from muhafiz.jobs.actions.queue import enqueue_job
from muhafiz.keyring.queries import unseal

FETCH_JOB = "feeds.fetch"
_FIRST_DAYS = 2
_MOST_DAYS = 30
_TRIED_ROWS = 1_000
TRY_JOB = "feeds.try_fetch"


@dataclass(frozen=True, slots=True)
class Fetched:
    """What one fetch brought."""

    kept: int
    known: int  # already here, by the sender's name or by their bytes


def queue_due_fetches(*, actor: Actor, now: datetime) -> int:
    """Queue the fetch of every feed whose time has come; how many."""
    due = Q(fetch_due_at__isnull=True) | Q(fetch_due_at__lte=now)
    early = Q(fetch_due_at__gt=now + timedelta(days=1))  # the clock was set back
    found = Feed.objects.filter(due | early, enabled=True, fetch_every__isnull=False)
    count = 0
    for feed in found.order_by("pk"):
        with transaction.atomic():
            enqueue_job(
                FETCH_JOB,
                {"feed": feed.name},
                actor=actor,
                now=now,
                unique_key=f"{FETCH_JOB}:{feed.pk}",
            )
            Feed.objects.filter(pk=feed.pk).update(fetch_due_at=now + (feed.fetch_every or _day()))
        count += 1
    return count


def fetch_feed(
    *,
    feed: str,
    actor: Actor,
    now: datetime,
    tick: Callable[[int, str], None] = lambda _done, _note: None,
) -> Fetched:
    """Fetch what is new of one feed; `tick(count, name)` is called after each report.

    A report that cannot be had keeps no other from being fetched.

    Raises:
        UnknownFeed: there is none that can be fetched.
        CannotFetch: the sender refused or broke off, or did not give every report; what came is
            kept, the watermark stays.
        DiskNearlyFull: as `keep_report`.
    """
    found = Feed.objects.filter(name=feed, enabled=True).first()
    if found is None or not found.source:
        raise rules.UnknownFeed(feed=feed)
    fetch = source_named(found.source).fetch
    if fetch is None:
        raise rules.UnknownFeed(feed=feed)
    since = _since(found.fetched_until, now)
    here = _identifiers(found, since)
    kept = known = 0
    missed: list[str] = []
    for number, report in enumerate(fetch(_options(found), since.date(), now.date()), 1):
        if report.identifier[:300] in here:
            known += 1
        else:
            try:
                duplicate = _keep(feed, report, actor=actor, now=now).duplicate
                kept, known = kept + (not duplicate), known + duplicate
            except CannotFetch as refused:
                missed.append(f"{report.file_name}: {refused}")
        tick(number, report.file_name)
    if missed:
        raise CannotFetch(f"{len(missed)} reports could not be had. The first: {missed[0]}")
    _move_watermark(found, now, kept, actor=actor)
    return Fetched(kept, known)


def _keep(feed: str, report: FetchedReport, *, actor: Actor, now: datetime) -> KeptReport:
    return keep_report(
        feed=feed,
        file_name=report.file_name,
        raw=report.content,
        received_at=now,
        actor=actor,
        now=now,
        door="api",
        identifier=report.identifier[:300],
    )


def try_fetch(*, feed: str, options: Mapping[str, Any], now: datetime) -> str:
    """Ask the sender with other options for its last days, look at one report; keep nothing.

    Raises:
        UnknownFeed: there is none that can be fetched.
        CannotFetch: the sender refused or broke off.
    """
    found = Feed.objects.filter(name=feed).first()
    source = source_named(found.source) if found is not None and found.source else None
    if found is None or source is None or source.fetch is None:
        raise rules.UnknownFeed(feed=feed)
    wanted = {**_options(found), **options}
    since = now - timedelta(days=_FIRST_DAYS)
    for report in source.fetch(wanted, since.date(), now.date()):
        context = ParseContext(report.file_name, now, _TRIED_ROWS, {"tlp": found.tlp, **options})
        for batch in source.parse(report.content, context):
            read, aside = batch.events.num_rows, batch.set_aside.num_rows
            return f"{report.file_name}: {read} rows would be read, {aside} set aside"
        return f"{report.file_name}: no row in it"
    return "The sender answered and offers no report of these days."


def _since(watermark: datetime | None, now: datetime) -> datetime:
    """Where to ask from: a day before the watermark, since senders add to yesterday."""
    if watermark is None:
        return now - timedelta(days=_FIRST_DAYS)
    since = min(watermark, now) - timedelta(days=1)
    return max(since, now - timedelta(days=_MOST_DAYS))


def _options(feed: Feed) -> Mapping[str, Any]:
    """The feed's options with its secrets, which live in memory only."""
    options: dict[str, Any] = dict(feed.options)
    if feed.sealed_secrets is not None:
        plain = unseal(bytes(feed.sealed_secrets), context=secrets_context(feed.pk))
        options.update(json.loads(plain))
    return options


def _identifiers(feed: Feed, since: datetime) -> set[str]:
    """What the sender calls the reports that are here and could be offered again."""
    lately = Report.objects.filter(feed=feed, received_at__gte=since - timedelta(days=_MOST_DAYS))
    return set(lately.exclude(identifier="").values_list("identifier", flat=True))


@transaction.atomic
def _move_watermark(feed: Feed, now: datetime, kept: int, *, actor: Actor) -> None:
    Feed.objects.filter(pk=feed.pk).update(fetched_until=now)
    if kept:
        record_entry(
            actor=actor,
            now=now,
            action="feeds.fetch_feed",
            subject=f"feed:{feed.name}",
            details={"kept": kept},
        )


def _day() -> timedelta:
    return timedelta(days=1)
