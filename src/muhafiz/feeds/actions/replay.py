"""Rows set aside are tried again, mended or dismissed; whole reports too. Nothing counts twice.

Replay opens the report's raw bytes again and reads only the blocks that hold the rows asked for,
so that header, encoding and position are what they were. What is accepted now goes to the lake
under new batch numbers in the transaction that settles the rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.feeds import rules
from muhafiz.feeds.actions.batches import append, fresh, locked
from muhafiz.feeds.actions.intake import queue_reading
from muhafiz.feeds.actions.processing import reading_of
from muhafiz.feeds.actions.rereading import reread
from muhafiz.feeds.models import Feed, Report, SetAsideRow
from muhafiz.feeds.reading import ReadBatch
from muhafiz.jobs.actions.queue import enqueue_job

REPLAY_JOB = "feeds.replay_set_aside"


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay achieved."""

    accepted: int
    still_open: int


def replay_set_aside(
    *, report_id: int, actor: Actor, now: datetime, rows: Sequence[int] | None = None
) -> Replayed:
    """Read the report's open rows again (`rows`: only these, by position), with today's mappings.

    A row that a person edited is read as edited. May be repeated at will, and killed.

    Raises:
        UnknownReport: there is none of this number.
        CannotReprocess: it is being read at this moment.
        RawMissing: its raw bytes are no longer kept.
    """
    report = fresh(report_id)
    if report.state == Report.State.PROCESSING:
        raise rules.CannotReprocess(report=report_id)
    wanted = _open_rows(report_id, rows)
    accepted = still = 0
    if wanted:
        for batch, asked in reread(report, wanted, reading_of(report)):
            taken = _settle(report_id, batch, asked, actor=actor, now=now)
            accepted, still = accepted + taken, still + len(asked) - taken
    return Replayed(accepted, still)


@transaction.atomic
def edit_and_replay(*, row_id: int, raw: bytes, actor: Actor, now: datetime) -> Replayed:
    """Put `raw` in the place of an open row's bytes and read it. The bytes as they came stay.

    Raises:
        CannotReplay: there is no such open row, or `raw` is not exactly one row.
    """
    row = _open_row(row_id)
    if not raw.strip() or b"\n" in raw.rstrip(b"\r\n"):
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
        count = SetAsideRow.objects.filter(pk__in=pks, state=SetAsideRow.State.OPEN).update(
            state=SetAsideRow.State.DISMISSED, note=note, settled_at=now, settled_by=str(actor)
        )
        report.rows_open -= count
        report.save(update_fields=["rows_open"])
        total += count
    if total:
        _audit(actor, now, "feeds.dismiss_set_aside", min(by_report), {"rows": total, "note": note})
    return total


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


def _open_rows(report_id: int, rows: Sequence[int] | None) -> dict[int, bytes | None]:
    """Positions of open rows, each with the bytes a person put in its place."""
    found = SetAsideRow.objects.filter(report_id=report_id, state=SetAsideRow.State.OPEN)
    if rows is not None:
        found = found.filter(row__in=list(rows))
    pairs = found.order_by("row").values_list("row", "edited")
    return {row: None if edited is None else bytes(edited) for row, edited in pairs}


def _open_row(row_id: int) -> SetAsideRow:
    row = SetAsideRow.objects.filter(pk=row_id, state=SetAsideRow.State.OPEN).first()
    if row is None:
        raise rules.CannotReplay(reason="the row is not there, or settled already")
    return row


@transaction.atomic
def _settle(
    report_id: int, batch: ReadBatch, asked: list[int], *, actor: Actor, now: datetime
) -> int:
    """Append what is accepted now and settle its rows; how many.

    Raises:
        CannotReplay: some of the rows were settled meanwhile.
    """
    report = locked(report_id)
    rows = SetAsideRow.objects.filter(
        report_id=report_id, row__in=asked, state=SetAsideRow.State.OPEN
    )
    if rows.count() != len(asked):
        raise rules.CannotReplay(reason="some rows were settled meanwhile")
    refused = {row["row"]: row for row in batch.set_aside.to_pylist()}
    accepted = [row for row in asked if row not in refused]
    if batch.accepted != len(accepted):
        raise rules.CannotReplay(reason="the report's rows no longer lie where they lay")
    report.new_events += append(report, batch, actor=actor, now=now)
    rows.filter(row__in=accepted).update(
        state=SetAsideRow.State.REPLAYED, settled_at=now, settled_by=str(actor)
    )
    for row in rows.filter(row__in=list(refused)):
        told = refused[row.row]
        row.reason, row.detail = told["reason"][:60], told["detail"]
        row.column = (told["column"] or "")[:200]
        row.save(update_fields=["reason", "detail", "column"])
    report.rows_accepted += batch.accepted
    report.rows_owned += batch.owned
    report.rows_open -= len(accepted)
    report.save(
        update_fields=["rows_accepted", "rows_owned", "rows_open", "new_events", "next_batch"]
    )
    details = {"accepted": len(accepted), "refused": len(refused)}
    _audit(actor, now, "feeds.replay_set_aside", report_id, details)
    return len(accepted)


def _audit(
    actor: Actor, now: datetime, action: str, report_id: int, details: Mapping[str, int | str]
) -> None:
    record_entry(
        actor=actor, now=now, action=action, subject=f"report:{report_id}", details=details
    )
