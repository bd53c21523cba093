"""Rows kept as samples: what a mapping must go on reading as it does now."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from muhafiz.accounts.rules import check_may
from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.feeds import rules
from muhafiz.feeds.columns.mapping import BadMapping
from muhafiz.feeds.facts import SampleFacts
from muhafiz.feeds.models import Feed, Sample
from muhafiz.feeds.queries import sample_facts, set_aside_row
from muhafiz.feeds.sources import ParseContext, source_named
from muhafiz.feeds.trial import sample_content, told, view_row


@transaction.atomic
def keep_sample(*, row_id: int, note: str, actor: Actor, now: datetime) -> int:
    """Keep a row, as it is read today, as a sample of its report type; the sample's number.

    Raises:
        CannotReplay: there is no such row.
        RawMissing: the report's bytes are no longer kept, so its header is not known.
    """
    check_may(actor, "reports.replay")
    row = set_aside_row(row_id)
    if row is None:
        raise rules.CannotReplay(reason="the row is not there")
    feed = Feed.objects.get(name=row.feed)
    view = view_row(row)
    kept = Sample(feed=feed, kind=row.kind, file_name=row.file_name)
    kept.content = sample_content(row, view.head, feed.options)
    kept.received_at = now
    kept.expected = read_sample(kept, feed.options)
    kept.note, kept.kept_at = note[:300], now
    kept.kept_by = actor.name[:200]
    kept.save()
    record_entry(
        actor=actor,
        now=now,
        action="feeds.keep_sample",
        subject=f"feed:{feed.name}",
        details={"sample": kept.pk, "kind": row.kind, "report": row.report_id},
    )
    return kept.pk


@transaction.atomic
def accept_sample(*, sample_id: int, actor: Actor, now: datetime) -> None:
    """Take what a sample is read as today for what it must be read as from now on.

    Raises:
        CannotReplay: there is no such sample.
    """
    check_may(actor, "reports.replay")
    row = _sample(sample_id)
    row.expected = row.found = read_sample(row, row.feed.options)
    row.checked_at = now
    row.save(update_fields=["expected", "found", "checked_at"])
    _audit("feeds.accept_sample", row, actor, now)


@transaction.atomic
def forget_sample(*, sample_id: int, actor: Actor, now: datetime) -> None:
    """Remove a sample.

    Raises:
        CannotReplay: there is no such sample.
    """
    check_may(actor, "reports.replay")
    row = _sample(sample_id)
    _audit("feeds.forget_sample", row, actor, now)
    row.delete()


def check_samples(
    *,
    feed: str | None = None,
    now: datetime,
    tick: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[SampleFacts]:
    """Read every sample (of one feed) with today's mappings and note it; those that differ."""
    found = Sample.objects.select_related("feed").order_by("pk")
    rows = list(found if feed is None else found.filter(feed__name=feed))
    for done, row in enumerate(rows, 1):
        row.found, row.checked_at = read_sample(row, row.feed.options), now
        row.save(update_fields=["found", "checked_at"])
        tick(done, len(rows))
    return [facts for facts in map(sample_facts, rows) if not facts.holds]


def would_differ(
    feed: str, kind: str, options: Mapping[str, Any]
) -> list[tuple[SampleFacts, dict[str, str]]]:
    """Samples of a report type that other options would read otherwise than they must be."""
    rows = Sample.objects.select_related("feed").filter(feed__name=feed, kind=kind)
    read = [(sample_facts(row), read_sample(row, options)) for row in rows]
    return [(facts, found) for facts, found in read if found != facts.expected]


def read_sample(sample: Sample, options: Mapping[str, Any]) -> dict[str, str]:
    """What the sample's row is read as with these options of its feed.

    A mapping that cannot be used reads nothing; it is told here and ends nobody's work.
    """
    source = source_named(sample.feed.source)
    context = ParseContext(
        sample.file_name, sample.received_at, 1000, {"tlp": sample.feed.tlp, **options}
    )
    try:
        for batch in source.parse(io.BytesIO(bytes(sample.content)), context):
            for event in batch.events.to_pylist():
                return told(event)
            for row in batch.set_aside.to_pylist():
                return {"set aside": row["reason"]}
    except BadMapping as wrong:
        return {"set aside": str(wrong)}
    return {"set aside": "no row"}


def _sample(sample_id: int) -> Sample:
    row = Sample.objects.select_for_update(of=("self",)).select_related("feed").filter(pk=sample_id)
    found = row.first()
    if found is None:
        raise rules.CannotReplay(reason="there is no such sample")
    return found


def _audit(action: str, row: Sample, actor: Actor, now: datetime) -> None:
    record_entry(
        actor=actor,
        now=now,
        action=action,
        subject=f"feed:{row.feed.name}",
        details={"sample": row.pk, "kind": row.kind},
    )
