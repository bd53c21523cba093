"""Reading a report: each batch's events, set-aside rows and progress are one transaction.

1. `_begin` counts the try and settles parser and batch size; a report that was tried too often
   without progress is quarantined instead: raw bytes kept, visible, replayable.
2. An archive is walked to its end before its first row is read (`unpacking.inspect`): it is taken
   whole or quarantined whole.
3. Batches come from `reading.batches`; blocks already committed are cut again but not read.
4. `commit_batch` gives a batch, whose files are written already, to the lake and moves the report
   forward, or neither. A run that was killed resumes behind the last commit; a second worker on
   the same report finds it moved and stops.
5. `_finish` closes the report with an audit entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.conf import settings
from django.db import OperationalError, transaction

from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.common.clock import Clock
from muhafiz.constituency import attribution
from muhafiz.feeds import rules
from muhafiz.feeds.actions.batches import (
    Overtaken,
    commit_batch,
    fresh,
    lies_as_it_lay,
    locked,
)
from muhafiz.feeds.actions.intake import raw_store
from muhafiz.feeds.columns.mapping import BadMapping
from muhafiz.feeds.magic import HEAD_BYTES
from muhafiz.feeds.models import Report
from muhafiz.feeds.raw_store import RawStore
from muhafiz.feeds.reading import Cut, Reading, Store, batches, closing, cuts
from muhafiz.feeds.sources import source_named
from muhafiz.feeds.unpacking import CannotUnpack, Member, inspect, is_packed, members
from muhafiz.jobs.registry import JobCancelled, JobLost, WorkerStopping
from muhafiz.lake.actions.append import draft_batch, installation_salt, prepare_batch
from muhafiz.lake.drafting import discard_drafts, write_draft
from muhafiz.lake.refusals import DiskNearlyFull as LakeDiskNearlyFull

Progress = Callable[[int, int, str], None]
_REFUSED = (CannotUnpack, BadMapping, rules.RawMissing, rules.NoSource, rules.CannotReplay)
_ENDED = (Overtaken, JobLost, WorkerStopping)
_NOT_ITS_FAULT = (JobCancelled, OSError, OperationalError, rules.DiskNearlyFull, LakeDiskNearlyFull)
_FINAL = (Report.State.DONE, Report.State.QUARANTINED)


@dataclass(frozen=True, slots=True)
class ProcessedReport:
    """How a report stands after a run."""

    id: int
    state: str
    reason: str
    rows_accepted: int
    rows_set_aside: int
    rows_owned: int
    new_events: int


def process_report(
    report_id: int, *, actor: Actor, clock: Clock, progress: Progress | None = None
) -> ProcessedReport:
    """Read a report to its end, or from where an earlier run was stopped.

    `progress(done_bytes, total_bytes, note)` is called after each batch and may raise JobCancelled.
    A report that is done or quarantined is left as it is. Content never raises; what does raise
    (a full disk, a locked database, a fault of ours) leaves the report `failed`, to be tried again,
    and the last such try leaves it `quarantined`.

    Raises:
        UnknownReport: there is none of this number.
        Overtaken: another worker reads the same report.
        OSError, OperationalError: the machine failed, not the report; not counted as a try.
    """
    report = _begin(report_id, actor=actor, clock=clock)
    if report.state != Report.State.PROCESSING:
        return outcome(report)
    try:
        _read(report, actor=actor, clock=clock, progress=progress or _silent)
        _finish(report, actor=actor, now=clock.now())
    except Exception as trouble:
        if not _settle_trouble(report, trouble, actor=actor, now=clock.now()):
            raise
    return outcome(fresh(report_id))


def outcome(report: Report) -> ProcessedReport:
    """The report's standing as a plain value."""
    return ProcessedReport(
        id=report.pk,
        state=report.state,
        reason=report.reason,
        rows_accepted=report.rows_accepted,
        rows_set_aside=report.rows_set_aside,
        rows_owned=report.rows_owned,
        new_events=report.new_events,
    )


@transaction.atomic
def quarantine(report_id: int, reason: str, detail: str, *, actor: Actor, now: datetime) -> None:
    """Set a report apart for a person: raw bytes kept, nothing else of it is tried."""
    Report.objects.filter(pk=report_id).update(
        state=Report.State.QUARANTINED, reason=reason[:60], detail=detail, finished_at=now
    )
    record_entry(
        actor=actor,
        now=now,
        action="feeds.quarantine_report",
        subject=f"report:{report_id}",
        details={"reason": reason},
    )


@contextmanager
def opened_members(store: RawStore, report: Report) -> Iterator[Iterator[Member]]:
    """The report's streams; an archive is first walked to its end.

    Raises:
        CannotUnpack: before the first row, when the archive is refused.
        RawMissing: the raw bytes are no longer kept.
    """
    if not is_packed(_head(store, report.sha256)):
        with store.opened(report.sha256) as stream:
            yield members(stream, report.file_name, size=report.size)
        return
    with store.opened_seekable(report.sha256) as stream:
        if report.bytes_read == 0:
            _, unpacked = inspect(stream, report.file_name, size=report.size)
            report.bytes_read = unpacked
            Report.objects.filter(pk=report.pk).update(bytes_read=unpacked)
            stream.seek(0)
        yield members(stream, report.file_name, size=report.size)


def _head(store: RawStore, sha256: str) -> bytes:
    with store.opened(sha256) as stream:
        return stream.read(HEAD_BYTES)


def reading_of(report: Report, *, latest: datetime | None = None) -> Reading:
    """How this report is to be read: its feed's source and options, today's match tables.

    `latest`: the moment of reading, see `Reading`.
    """
    feed = report.feed
    tables = attribution.match_tables()
    options = {"tlp": feed.tlp, **feed.options}
    return Reading(
        source=source_named(feed.source),
        report_id=report.pk,
        received_at=report.received_at,
        batch_rows=report.batch_rows,
        options=options,
        attribute=partial(attribution.attribute, tables=tables, encode=True),
        store=Store(
            prepare=partial(prepare_batch, salt=installation_salt()),
            draft=draft_batch,
            write=write_draft,
            discard=discard_drafts,
        ),
        latest=latest,
    )


@transaction.atomic
def _begin(report_id: int, *, actor: Actor, clock: Clock) -> Report:
    """Count this try; quarantine instead when there were too many without progress."""
    report = locked(report_id)
    if report.state in _FINAL:
        return report
    report.attempts += 1
    now = clock.now()
    if rules.is_poison(report.attempts - 1):
        reason = report.reason or "no-progress"
        detail = report.detail or "Reading it was cut off each time, without a trace."
        quarantine(report.pk, reason, detail, actor=actor, now=now)
        return fresh(report_id)
    report.state = Report.State.PROCESSING
    report.started_at = report.started_at or now
    report.batch_rows = report.batch_rows or min(settings.BATCH_ROWS, rules.BATCH_ROWS_MOST)
    report.save(update_fields=["attempts", "state", "started_at", "batch_rows"])
    return report


def _read(report: Report, *, actor: Actor, clock: Clock, progress: Progress) -> None:
    try:
        reading = reading_of(report, latest=clock.now())
    except KeyError as error:
        raise rules.NoSource(source=report.feed.source) from error
    _settle_parser(report, reading.source.parser)
    with opened_members(raw_store(), report) as found:
        total = report.bytes_read or report.size
        with closing(batches(_ahead(report, cuts(found, reading)), reading)) as read_batches:
            for batch in read_batches:
                commit_batch(report, batch, actor=actor, now=clock.now())
                progress(min(batch.bytes_through, total), total, report.file_name)


def _ahead(report: Report, found: Iterator[Cut]) -> Iterator[Cut]:
    """The cuts behind those that an earlier run committed.

    Raises:
        CannotReplay: the feed's options were changed since, and cut the report into other rows.
    """
    for cut in found:
        if cut.number >= report.blocks_done:
            yield cut
        elif cut.opens_member and not lies_as_it_lay(report, cut):
            raise rules.CannotReplay(reason="the report's rows no longer lie where they lay")


def _settle_parser(report: Report, parser: str) -> None:
    """Note who reads it. A newer parser may go on where an older one was stopped."""
    report.parser = parser
    Report.objects.filter(pk=report.pk).update(parser=parser)


@transaction.atomic
def _finish(report: Report, *, actor: Actor, now: datetime) -> None:
    moved = Report.objects.filter(pk=report.pk, state=Report.State.PROCESSING).update(
        state=Report.State.DONE, reason="", detail="", finished_at=now, attempts=0
    )
    if not moved:
        raise Overtaken
    done = fresh(report.pk)
    record_entry(
        actor=actor,
        now=now,
        action="feeds.process_report",
        subject=f"report:{report.pk}",
        details={
            "parser": done.parser,
            "accepted": done.rows_accepted,
            "set_aside": done.rows_set_aside,
            "owned": done.rows_owned,
            "new_events": done.new_events,
        },
    )


def _settle_trouble(report: Report, trouble: Exception, *, actor: Actor, now: datetime) -> bool:
    """Note what stopped a try; whether that settles it (else the queue is to hear of it)."""
    if isinstance(trouble, _REFUSED):
        reason = getattr(trouble, "reason", trouble.code)
        quarantine(report.pk, reason, str(trouble), actor=actor, now=now)
        return True
    if isinstance(trouble, _ENDED):
        Report.objects.filter(pk=report.pk, state=Report.State.PROCESSING).update(attempts=0)
        return False
    counted = not isinstance(trouble, _NOT_ITS_FAULT)
    if counted and rules.is_poison(fresh(report.pk).attempts):
        told = f"{type(trouble).__name__}: {trouble}"
        quarantine(report.pk, "fault", told, actor=actor, now=now)
        return True
    _fail(report, trouble, counted=counted)
    return False


def _fail(report: Report, error: Exception, *, counted: bool) -> None:
    """Note why a try failed; one that is not counted forgives the earlier ones."""
    found = Report.objects.filter(pk=report.pk, state=Report.State.PROCESSING)
    values = {"state": Report.State.FAILED, "reason": type(error).__name__, "detail": str(error)}
    found.update(**values) if counted else found.update(**values, attempts=0)


def _silent(_done: int, _total: int, _note: str) -> None:
    """Nobody watches."""
