"""Rows set aside are tried again, mended or dismissed; whole reports too. Nothing counts twice.

Replay opens the report's raw bytes again and reads only the blocks that hold the rows asked for,
so that header, encoding and position are what they were. What is accepted now goes to the lake
under new batch numbers in the transaction that settles the rows.

Where other options cut the report into other rows (its header is known now, or its comments are),
rows no longer lie where they lay. A report of which nothing was accepted is then read anew; any
other is refused, since a row would stand for another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.db import transaction
from django.db.models import QuerySet, Sum

from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.feeds import rules
from muhafiz.feeds.actions.batches import fresh, locked
from muhafiz.feeds.actions.intake import queue_reading
from muhafiz.feeds.actions.processing import reading_of
from muhafiz.feeds.actions.rereading import Moved, reread
from muhafiz.feeds.actions.settling import settle
from muhafiz.feeds.models import Feed, Report, SetAsideRow
from muhafiz.feeds.places import Places, unpacked
from muhafiz.jobs.actions.queue import enqueue_job

REPLAY_JOB = "feeds.replay_set_aside"


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay achieved, in rows."""

    accepted: int = 0
    still_open: int = 0
    read_anew: int = 0  # their whole report waits to be read again

    def __add__(self, other: Replayed) -> Replayed:
        return Replayed(
            self.accepted + other.accepted,
            self.still_open + other.still_open,
            self.read_anew + other.read_anew,
        )

    @property
    def rows(self) -> int:
        """All rows it was about."""
        return self.accepted + self.still_open + self.read_anew

    def note(self) -> str:
        """The same as a job's note."""
        anew = f", {self.read_anew} read anew" if self.read_anew else ""
        return f"{self.accepted} accepted, {self.still_open} still set aside{anew}"


def replay_set_aside(
    *, report_id: int, actor: Actor, now: datetime, rows: Sequence[int] | None = None
) -> Replayed:
    """Read the report's open rows again (`rows`: only these, by position), with today's mappings.

    A row that a person edited is read as edited. May be repeated at will, and killed.

    Raises:
        UnknownReport: there is none of this number.
        CannotReprocess: it is being read at this moment.
        CannotReplay: its rows no longer lie where they lay, and some were accepted.
        RawMissing: its raw bytes are no longer kept.
    """
    found = SetAsideRow.objects.filter(report_id=report_id, state=SetAsideRow.State.OPEN)
    if rows is not None:
        found = found.filter(row__in=list(rows))
    return replay_found(report_id=report_id, found=found, actor=actor, clock=lambda: now)


def replay_found(
    *,
    report_id: int,
    found: QuerySet[SetAsideRow],
    actor: Actor,
    clock: Callable[[], datetime],
    tick: Callable[[int, int], None] = lambda _accepted, _still: None,
) -> Replayed:
    """Read open rows of one report again; `tick(accepted, still)` is called after each batch.

    Raises: as `replay_set_aside`.
    """
    report = fresh(report_id)
    if report.state == Report.State.PROCESSING:
        raise rules.CannotReprocess(report=report_id)
    wanted, edited = _wanted(found)
    accepted = still = anew = 0
    if len(wanted):
        reading = reading_of(report, latest=clock())
        try:
            for batch, asked in reread(report, wanted, edited, reading):
                taken = settle(report_id, batch, asked, actor=actor, now=clock())
                accepted, still = accepted + taken, still + len(asked) - taken
                tick(accepted, still)
        except Moved:
            _read_anew(report_id, actor=actor, now=clock())
            anew = len(wanted) - accepted - still
    return Replayed(accepted, still, anew)


@transaction.atomic
def _read_anew(report_id: int, *, actor: Actor, now: datetime) -> None:
    """Forget the rows of a report of which nobody used any, and queue its reading.

    Raises:
        CannotReplay: some were accepted, dismissed or edited, or it is being read.
    """
    report = locked(report_id)
    aside = SetAsideRow.objects.filter(report=report)
    used = report.rows_accepted or report.rows_open != report.rows_set_aside
    under_way = report.state == Report.State.PROCESSING
    if used or under_way or aside.filter(edited__isnull=False).exists():
        raise rules.CannotReplay(reason="the report's rows no longer lie where they lay")
    aside.delete()
    report.state, report.members = Report.State.RECEIVED, []
    report.blocks_done = report.attempts = report.rows_read = 0
    report.rows_set_aside = report.rows_open = 0
    report.reason = report.detail = ""
    report.save()
    queue_reading(report_id, actor=actor, now=now)
    _audit(actor, now, "feeds.read_anew", report_id, {})


def _wanted(found: QuerySet[SetAsideRow]) -> tuple[Places, dict[int, bytes]]:
    """The places that rows stand for, rising, and the bytes that a person put at some of them."""
    pieces: list[Places] = [np.empty(0, np.int64)]
    edited: dict[int, bytes] = {}
    for row, places, given in found.order_by("row").values_list("row", "places", "edited"):
        pieces.append(np.array([row]) if places is None else unpacked(bytes(places)))
        if given is not None:
            edited[row] = bytes(given)
    return np.sort(np.concatenate(pieces)), edited


@transaction.atomic
def edit_and_replay(*, row_id: int, raw: bytes, actor: Actor, now: datetime) -> Replayed:
    """Put `raw` in the place of an open row's bytes and read it. The bytes as they came stay.

    Raises:
        CannotReplay: there is no such open row, it stands for many, or `raw` is not exactly one.
    """
    row = _open_row(row_id)
    locked(row.report_id)
    row = _open_row(row_id)  # as it is now that nobody else can settle it
    if row.rows > 1:
        raise rules.CannotReplay(reason="it stands for many rows, which only a mapping can mend")
    if not is_one_row(raw, instead_of=bytes(row.raw)):
        raise rules.CannotReplay(reason="the row must be one line")
    row.edited = raw.rstrip(b"\r\n")
    row.save(update_fields=["edited"])
    return replay_set_aside(report_id=row.report_id, rows=[row.row], actor=actor, now=now)


@transaction.atomic
def dismiss_set_aside(*, row_ids: Sequence[int], note: str, actor: Actor, now: datetime) -> int:
    """Settle open rows as of no use, with the reason; how many were open.

    Raises:
        CannotReplay: no reason is given.
    """
    if not note.strip():
        raise rules.CannotReplay(reason="a dismissal needs its reason")
    by_report: dict[int, list[int]] = {}
    found = SetAsideRow.objects.filter(pk__in=list(row_ids), state=SetAsideRow.State.OPEN)
    for pk, report_id in found.values_list("pk", "report_id"):
        by_report.setdefault(report_id, []).append(pk)
    total = 0
    for report_id, pks in sorted(by_report.items()):
        report = locked(report_id)
        count = dismiss_found(
            SetAsideRow.objects.filter(pk__in=pks, state=SetAsideRow.State.OPEN),
            note=note, actor=actor, now=now,
        )  # fmt: skip
        report.rows_open -= count
        report.save(update_fields=["rows_open"])
        total += count
    if total:
        _audit(actor, now, "feeds.dismiss_set_aside", min(by_report), {"rows": total, "note": note})
    return total


def dismiss_found(found: QuerySet[SetAsideRow], *, note: str, actor: Actor, now: datetime) -> int:
    """Settle rows as of no use; how many rows of reports they stood for.

    Must run inside the caller's transaction, which counts them in their report.
    """
    count = found.aggregate(rows=Sum("rows"))["rows"] or 0
    found.update(
        state=SetAsideRow.State.DISMISSED, note=note, settled_at=now, settled_by=str(actor)
    )
    return int(count)


@transaction.atomic
def reprocess_report(*, report_id: int, actor: Actor, now: datetime) -> int:
    """Read a report again where it was left; the number of the job that does it.

    What was accepted stays accepted once. A failed or quarantined report goes on behind its last
    batch with its tries forgotten; a finished one has its open rows replayed.

    Raises:
        UnknownReport: there is none of this number.
        CannotReprocess: it is being read at this moment.
    """
    report = locked(report_id)
    if report.state == Report.State.PROCESSING:
        raise rules.CannotReprocess(report=report_id)
    if report.state == Report.State.DONE:
        job = queue_replay(report_id, actor=actor, now=now)
    else:
        report.state, report.attempts = Report.State.RECEIVED, 0
        report.reason = report.detail = ""
        report.save(update_fields=["state", "attempts", "reason", "detail"])
        job = queue_reading(report_id, actor=actor, now=now)
    _audit(actor, now, "feeds.reprocess_report", report_id, {"job": job})
    return job


@transaction.atomic
def assign_report(*, report_id: int, feed: str, actor: Actor, now: datetime) -> int:
    """Give a report that no feed recognized to a feed and queue its reading; the job's number.

    Raises:
        UnknownFeed: there is no such feed that takes reports.
        CannotReplay: rows of it were accepted already, or the feed has the same report.
    """
    report = locked(report_id)
    chosen = Feed.objects.filter(name=feed, enabled=True).exclude(source="").first()
    if chosen is None:
        raise rules.UnknownFeed(feed=feed)
    if report.blocks_done:
        raise rules.CannotReplay(reason="rows of it were taken in already")
    if Report.objects.filter(feed=chosen, sha256=report.sha256).exclude(pk=report.pk).exists():
        raise rules.CannotReplay(reason=f"“{feed}” has the same report already")
    report.feed = chosen
    report.save(update_fields=["feed"])
    Feed.objects.filter(pk=chosen.pk).update(last_report_at=now)
    return reprocess_report(report_id=report_id, actor=actor, now=now)


def queue_replay(report_id: int, *, actor: Actor, now: datetime) -> int:
    """Queue the replay of a report's open rows, once however often it is asked; the job's number.

    Must run inside the caller's transaction.
    """
    key = f"{REPLAY_JOB}:{report_id}"
    return enqueue_job(REPLAY_JOB, {"report_id": report_id}, actor=actor, now=now, unique_key=key)


def is_one_row(raw: bytes, *, instead_of: bytes) -> bool:
    """Whether a correction is one row: one line, unless what it replaces had line ends within."""
    return bool(raw.strip()) and (b"\n" not in raw.rstrip(b"\r\n") or b"\n" in instead_of)


def _open_row(row_id: int) -> SetAsideRow:
    row = SetAsideRow.objects.filter(pk=row_id, state=SetAsideRow.State.OPEN).first()
    if row is None:
        raise rules.CannotReplay(reason="the row is not there, or settled already")
    return row


def _audit(
    actor: Actor, now: datetime, action: str, report_id: int, details: Mapping[str, int | str]
) -> None:
    record_entry(
        actor=actor, now=now, action=action, subject=f"report:{report_id}", details=details
    )
