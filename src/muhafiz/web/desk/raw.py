"""A report's bytes as delivered, read in pieces; each reading is an entry of the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db import transaction

from muhafiz.audit.actions.entries import record_read
from muhafiz.common.actor import Actor
from muhafiz.feeds.actions.intake import raw_store
from muhafiz.feeds.facts import ReportFacts

_PIECE = 64 * 1024


def record_reading(report: ReportFacts, *, actor: Actor, now: datetime) -> None:
    """Write down that somebody took a report's raw bytes."""
    with transaction.atomic():
        record_read(
            actor=actor, now=now, action="feeds.read_raw_report", subject=f"report:{report.id}"
        )


def pieces(report: ReportFacts) -> Iterator[bytes]:
    """The bytes, a piece at a time, so that memory stays flat whatever the report's size."""
    with raw_store().opened(report.sha256) as stream:
        while piece := stream.read(_PIECE):
            yield piece
