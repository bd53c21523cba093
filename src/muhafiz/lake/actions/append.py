"""Accepted rows into the lake: once each, whatever crashes and whoever appends beside us.

1. `prepare_batch` (pure, threads): key, merge equal keys, sort.
2. Look up which keys the day already has; new events and further sightings are parted.
3. Write both as Parquet files, flushed and renamed; no row names them yet.
4. In one transaction: advance each day's version if it is still the one of step 2, add the
   segments, what they contribute to the report, the receipt, the audit entry.
5. If another append came between, look up only what it added and try again.

A crash before 4 leaves orphan files, which a job removes.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from django.db import IntegrityError, transaction
from django.db.models import F

from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.common.refusal import Refusal
from muhafiz.lake.answers import Appended
from muhafiz.lake.facts import event_facts, resighting_facts
from muhafiz.lake.identity import SALT_BYTES
from muhafiz.lake.known_keys import DayState, known_keys
from muhafiz.lake.layout import RESIGHTINGS, file_bytes
from muhafiz.lake.models import Contribution, Day, Installation, Receipt, Segment, SegmentKind
from muhafiz.lake.preparation import PreparedBatch, PreparedDay
from muhafiz.lake.preparation import prepare_batch as _prepare
from muhafiz.lake.refusals import BadBatch
from muhafiz.lake.storage import WrittenFile, check_free_disk, remove_files, write_file


class _DayMoved(Exception):  # noqa: N818 - an answer between two functions of this file
    """Another append of the day was committed between look-up and transaction."""


@dataclass(slots=True)
class _Draft:
    """One day's files, written, and the state of the day they are right for."""

    prepared: PreparedDay
    state: DayState
    known: npt.NDArray[np.bool_]
    files: list[tuple[WrittenFile, dict[str, Any]]]  # file, fields of its segment


def installation_salt() -> bytes:
    """The salt of this installation's keys, drawn at the first call."""
    row = Installation.objects.filter(pk=1).first()
    if row is None:
        drawn = secrets.token_bytes(SALT_BYTES)
        row, _ = Installation.objects.get_or_create(pk=1, defaults={"salt": drawn})
    return bytes(row.salt)


def prepare_batch(batch: pa.Table, *, salt: bytes) -> PreparedBatch:
    """Step 1 alone, for a pool of threads: pure, needs no database, releases the GIL.

    Take `salt` from `installation_salt()` once.

    Raises:
        BadBatch: the batch is not `events.ACCEPTED` of one report.
    """
    return _prepare(batch, salt=salt)


def append_batch(
    batch: pa.Table, *, report_id: int, batch_number: int, actor: Actor, now: datetime
) -> Appended:
    """Store an accepted batch (`events.ACCEPTED`, all rows of `report_id`); durable on return.

    Idempotent: the same report and batch number again gives the first answer and stores nothing.

    Raises:
        BadBatch: columns, types or report are wrong.
        DiskNearlyFull: too little of the disk is free; nothing was stored.
        SegmentUnreadable: the day's stored keys cannot be read.
    """
    given = _receipt(report_id, batch_number)
    if given is not None:
        return given
    prepared = prepare_batch(batch, salt=installation_salt())
    return append_prepared(
        prepared, report_id=report_id, batch_number=batch_number, actor=actor, now=now
    )


def append_prepared(
    prepared: PreparedBatch, *, report_id: int, batch_number: int, actor: Actor, now: datetime
) -> Appended:
    """Steps 2 to 5; see `append_batch`. Call in the order of the batches, from one thread.

    Raises:
        BadBatch: the rows are of another report.
        DiskNearlyFull: too little of the disk is free; nothing was stored.
        SegmentUnreadable: the day's stored keys cannot be read.
    """
    given = _receipt(report_id, batch_number)
    if given is not None:
        return given
    if prepared.report_id not in {None, report_id}:
        raise BadBatch(reason=f"its rows are of report {prepared.report_id}, not {report_id}.")
    check_free_disk()
    receipt = Receipt(
        report_id=report_id, batch_number=batch_number, rows=prepared.rows, appended_at=now
    )
    drafts: list[_Draft] = []
    try:
        drafts.extend(_draft(day) for day in prepared.days)
        return _commit_until_still(drafts, receipt, actor)
    except IntegrityError:
        # Another process stored the same batch meanwhile, or the database is at odds with itself.
        _discard(drafts)
        given = _receipt(report_id, batch_number)
        if given is None:
            raise
        return given
    except Refusal:
        _discard(drafts)
        raise
    # After any other error it is unknown what was committed: the files are left to the job that
    # removes orphans, which looks at the rows first.


def _commit_until_still(drafts: list[_Draft], receipt: Receipt, actor: Actor) -> Appended:
    """Steps 4 and 5. Every retry means that somebody else's append was committed."""
    while True:
        try:
            return _commit(drafts, receipt, actor)
        except _DayMoved:
            drafts[:] = [_redraft(draft) for draft in drafts]


def _discard(drafts: Sequence[_Draft]) -> None:
    remove_files([file.path for draft in drafts for file, _ in draft.files])


def _receipt(report_id: int, batch_number: int) -> Appended | None:
    found = Receipt.objects.filter(report_id=report_id, batch_number=batch_number).first()
    return _answer(found) if found else None


def _answer(receipt: Receipt) -> Appended:
    return Appended(
        rows=receipt.rows,
        new_events=receipt.new_events,
        sightings=receipt.rows - receipt.new_events,
        segment=receipt.segment,
    )


def _draft(prepared: PreparedDay) -> _Draft:
    """Steps 2 and 3 for one day."""
    index = known_keys(installation_salt())
    known, state = index.look_up(prepared.day, prepared.keys)
    return _Draft(prepared, state, known, _write(prepared, known))


def _redraft(draft: _Draft) -> _Draft:
    """Step 5: the files stay as they are unless the others stored some of the same keys."""
    known, state = known_keys(installation_salt()).look_up(draft.prepared.day, draft.prepared.keys)
    if (known == draft.known).all():
        return _Draft(draft.prepared, state, known, draft.files)
    remove_files([file.path for file, _ in draft.files])
    draft.files.clear()
    return _Draft(draft.prepared, state, known, _write(draft.prepared, known))


def _write(
    prepared: PreparedDay, known: npt.NDArray[np.bool_]
) -> list[tuple[WrittenFile, dict[str, Any]]]:
    files: list[tuple[WrittenFile, dict[str, Any]]] = []
    events = prepared.events.filter(pa.array(~known)) if known.any() else prepared.events
    if events.num_rows:
        facts = {"kind": SegmentKind.EVENTS, **event_facts(events)}
        files.append((write_file(prepared.day, file_bytes(events)), facts))
    if known.any():
        again = prepared.events.select(RESIGHTINGS.names).filter(pa.array(known))
        again = again.cast(RESIGHTINGS).sort_by("key")
        facts = {"kind": SegmentKind.RESIGHTINGS, **resighting_facts(again)}
        files.append((write_file(prepared.day, file_bytes(again)), facts))
    return files


@transaction.atomic
def _commit(drafts: Sequence[_Draft], receipt: Receipt, actor: Actor) -> Appended:
    """Step 4.

    Raises:
        _DayMoved: a day is no longer as it was looked up.
        IntegrityError: the batch has a receipt already.
    """
    receipt.new_events, receipt.segment = 0, None
    for draft in sorted(drafts, key=lambda each: each.state.day):  # one order: no deadlock
        _advance(draft.state)
        for file, facts in draft.files:
            segment = _add_segment(draft.state, file, facts, receipt)
            receipt.segment = receipt.segment or segment.pk
            if segment.kind == SegmentKind.EVENTS:
                receipt.new_events += segment.rows
        _remember_later(draft)
    receipt.pk = None
    receipt.save(force_insert=True)
    answer = _answer(receipt)
    record_entry(
        actor=actor,
        now=receipt.appended_at,
        action="lake.append_batch",
        subject=f"report:{receipt.report_id}",
        details={
            "batch": receipt.batch_number,
            "rows": answer.rows,
            "new_events": answer.new_events,
            "segments": {file.path: file.digest for draft in drafts for file, _ in draft.files},
        },
    )
    return answer


def _advance(state: DayState) -> None:
    moved = Day.objects.filter(day=state.day, version=state.version, epoch=state.epoch).update(
        version=F("version") + 1
    )
    if not moved:
        raise _DayMoved


def _add_segment(
    state: DayState, file: WrittenFile, facts: dict[str, Any], receipt: Receipt
) -> Segment:
    segment = Segment.objects.create(
        day=state.day,
        path=file.path,
        digest=file.digest,
        size_bytes=file.size_bytes,
        version=state.version + 1,
        created_at=receipt.appended_at,
        **facts,
    )
    Contribution.objects.create(
        segment=segment, report_id=receipt.report_id, sightings=segment.sightings
    )
    return segment


def _remember_later(draft: _Draft) -> None:
    """Tell the index once the transaction stands."""
    keys = draft.prepared.keys[~draft.known]
    state, witness = draft.state, draft.files[0][0].path
    index = known_keys(installation_salt())
    transaction.on_commit(lambda: index.remember(state, keys, witness))
