"""Accepted rows into the lake: once each, whatever crashes and whoever appends beside us.

1. `prepare_batch` (pure, threads): key, merge equal keys, sort.
2. `draft_batch`: look up which keys the day already has, or will have from the drafts before this
   one; new events and further sightings are parted.
3. `write_draft` (threads): both as Parquet files, flushed and renamed; no row names them yet.
4. `append_draft`, in one transaction that writes nothing but rows: advance each day's version if
   it is still the one of step 2, add the segments, what they contribute to the report, the
   receipt, the audit entry.
5. If another append came between, look up only what it added and try again.

`append_batch` is all of it. A crash before 4 leaves orphan files, which a job removes.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
from django.db import IntegrityError, transaction
from django.db.models import F

from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.common.refusal import Refusal
from muhafiz.lake.answers import Appended
from muhafiz.lake.drafting import DayDraft, Draft, discard_drafts, write_draft
from muhafiz.lake.drafting import draft_batch as _draft_batch
from muhafiz.lake.identity import SALT_BYTES
from muhafiz.lake.known_keys import DayState, known_keys
from muhafiz.lake.models import Contribution, Day, Installation, Receipt, Segment, SegmentKind
from muhafiz.lake.preparation import PreparedBatch
from muhafiz.lake.preparation import prepare_batch as _prepare
from muhafiz.lake.refusals import BadBatch
from muhafiz.lake.storage import WrittenFile


class _DayMoved(Exception):  # noqa: N818 - an answer between two functions of this file
    """Another append of the day was committed between look-up and transaction."""


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
    _check_report(prepared.report_id, report_id)
    draft = write_draft(draft_batch(prepared))
    return append_draft(draft, report_id=report_id, batch_number=batch_number, actor=actor, now=now)


def draft_batch(prepared: PreparedBatch, coming: Sequence[Draft] = ()) -> Draft:
    """Step 2: `coming` are the drafts that will be appended before this one, in order.

    Raises:
        SegmentUnreadable: the day's stored keys cannot be read.
    """
    return _draft_batch(prepared, known_keys(installation_salt()), coming=coming)


def append_draft(
    draft: Draft, *, report_id: int, batch_number: int, actor: Actor, now: datetime
) -> Appended:
    """Steps 4 and 5 for a draft that `write_draft` wrote; see `append_batch`.

    Raises:
        BadBatch: the rows are of another report.
        DiskNearlyFull: files had to be written anew and had no room; nothing was stored.
        SegmentUnreadable: the day's stored keys cannot be read.
    """
    given = _receipt(report_id, batch_number)
    if given is not None:
        discard_drafts([draft])
        return given
    receipt = Receipt(
        report_id=report_id, batch_number=batch_number, rows=draft.rows, appended_at=now
    )
    try:
        _check_report(draft.report_id, report_id)
        return _commit_until_still(draft.days, receipt, actor)
    except IntegrityError:
        # Another process stored the same batch meanwhile, or the database is at odds with itself.
        discard_drafts([draft])
        given = _receipt(report_id, batch_number)
        if given is None:
            raise
        return given
    except Refusal:
        discard_drafts([draft])
        raise
    # After any other error it is unknown what was committed: the files are left to the job that
    # removes orphans, which looks at the rows first.


def _check_report(found: int | None, report_id: int) -> None:
    if found not in {None, report_id}:
        raise BadBatch(reason=f"its rows are of report {found}, not {report_id}.")


def _commit_until_still(days: Sequence[DayDraft], receipt: Receipt, actor: Actor) -> Appended:
    """Steps 4 and 5. Every retry means that somebody else's append was committed."""
    while True:
        try:
            return _commit(days, receipt, actor)
        except _DayMoved:
            for day in days:
                _look_again(day)


def _look_again(draft: DayDraft) -> None:
    """Step 5: the files stay as they are unless the others stored some of the same keys."""
    before, day = draft.answer, draft.prepared
    draft.answer = known_keys(installation_salt()).look_up(day.day, day.keys)
    draft.rests_on = []
    if (draft.answer.known == before.known).all():
        return
    draft.discard()
    draft.write()


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


@transaction.atomic
def _commit(drafts: Sequence[DayDraft], receipt: Receipt, actor: Actor) -> Appended:
    """Step 4.

    Raises:
        _DayMoved: a day is not as it was looked up.
        IntegrityError: the batch has a receipt already.
    """
    receipt.new_events, receipt.segment = 0, None
    for draft in sorted(drafts, key=lambda each: each.answer.state.day):  # one order: no deadlock
        _advance(draft)
        for file, facts in draft.files:
            segment = _add_segment(draft.answer.state, file, facts, receipt)
            receipt.segment = receipt.segment or segment.pk
            if segment.kind == SegmentKind.EVENTS:
                receipt.new_events += segment.rows
        draft.commitment.made = True
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


def _advance(draft: DayDraft) -> None:
    if not all(before.made for before in draft.rests_on):
        raise _DayMoved
    state = draft.answer.state
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


def _remember_later(draft: DayDraft) -> None:
    """Tell the index once the transaction stands."""
    new, state, witness = draft.answer.new, draft.answer.state, draft.files[0][0].path
    index = known_keys(installation_salt())
    transaction.on_commit(lambda: index.remember(state, new, witness))
