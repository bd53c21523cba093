"""Taking events along: asked for, written by a job, handed out through the gate, removed on time.

1. `request_export` keeps what was asked and queues the job, in one transaction.
2. `lake.jobs:write_export` writes the file aside; `finish_export` names it in the row, once.
3. `hand_out_export` lets it out through `release`, to who asked for it and to nobody else.
4. `remove_expired` deletes files whose time is over, and those that no row names.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.db import transaction
from django.db.models import F

from muhafiz.accounts.rules import check_may
from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.common.identifiers import new_id
from muhafiz.jobs.actions.queue import CannotCancel, cancel_job, enqueue_job
from muhafiz.lake import export_rules as rules
from muhafiz.lake.export_files import ASIDE, Finished, exports_folder, remove_file
from muhafiz.lake.models import Export
from muhafiz.lake.query import EventQuery
from muhafiz.lake.written_query import read_query, written
from muhafiz.release.gate import Audience, Item, check_released, release
from muhafiz.release.queries import holders_of, is_recalled

PERMISSION = "events.export"
_KIND = "export"
_ORPHAN_AGE = timedelta(hours=6)  # a younger file may be one that is being written


@dataclass(frozen=True, slots=True)
class Commission:
    """What the job has to write."""

    id: int
    query: EventQuery
    columns: tuple[str, ...]
    format: str
    expected: int


@dataclass(frozen=True, slots=True)
class HandedOut:
    """A file that the gate let out: where it lies and what it is called outside."""

    path: Path
    name: str
    media_type: str


@transaction.atomic
def request_export(
    query: EventQuery,
    *,
    format: str,  # noqa: A002 - the word of the trade
    columns: Sequence[str],
    counts: dict[str | None, int],
    told: str,
    actor: Actor,
    now: datetime,
) -> UUID:
    """Ask for the events of `query` as a file; `counts` are its events per TLP label, as shown.

    Raises:
        NotAllowed: the actor may not export.
        CannotExport, TooManyExports, NothingToExport: saying why not.
    """
    check_may(actor, PERMISSION)
    rules.check_request(format, columns)
    mine = Export.objects.filter(requested_by=str(actor), state__in=rules.UNDER_WAY)
    if mine.count() >= rules.MOST_AT_ONCE:
        raise rules.TooManyExports(most=rules.MOST_AT_ONCE)
    _label, leaving, staying = rules.ceiling(counts)
    if not leaving and staying:
        raise rules.NothingToExport(left_out=staying, found=leaving + staying)
    if not leaving:
        raise rules.CannotExport(reason="no event matches.")
    row = Export.objects.create(
        public_id=new_id(),
        requested_by=str(actor),
        requested_name=actor.name[:300],
        requested_at=now,
        query=written(query),
        told=told,
        columns=json.dumps(list(columns)),
        format=format,
        expected=leaving,
        state=rules.QUEUED,
    )
    row.job_id = enqueue_job("lake.write_export", {"export_id": row.pk}, actor=actor, now=now)
    row.save(update_fields=["job_id"])
    record_entry(
        actor=actor,
        now=now,
        action="lake.request_export",
        subject=f"export:{row.public_id}",
        details={"format": format, "expected": leaving, "left_out": staying, "filters": told[:500]},
    )
    return row.public_id


def begin_export(export_id: int) -> Commission | None:
    """What to write; None when it ended already (cancelled, or written by another worker)."""
    asked = Export.objects.filter(pk=export_id, state__in=rules.UNDER_WAY)
    if not asked.update(state=rules.RUNNING):
        return None
    row = Export.objects.get(pk=export_id)
    return Commission(
        row.pk, read_query(row.query), tuple(json.loads(row.columns)), row.format, row.expected
    )


@transaction.atomic
def finish_export(
    export_id: int,
    finished: Finished,
    *,
    rows: int,
    left_out: int,
    tlp: str,
    organizations: Iterable[int],
    actor: Actor,
    now: datetime,
) -> bool:
    """Name the whole file in its row; False when the export ended otherwise meanwhile."""
    named = Export.objects.filter(pk=export_id, state=rules.RUNNING).update(
        state=rules.READY,
        rows=rows,
        left_out=left_out,
        tlp=tlp,
        organizations=json.dumps(sorted(organizations)),
        file_name=finished.name,
        size_bytes=finished.size_bytes,
        digest=finished.digest,
        finished_at=now,
        expires_at=now + rules.KEPT,
    )
    if not named:
        return False
    record_entry(
        actor=actor,
        now=now,
        action="lake.finish_export",
        subject=f"export:{Export.objects.get(pk=export_id).public_id}",
        details={"rows": rows, "left_out": left_out, "tlp": tlp, "sha256": finished.digest},
    )
    return True


def end_export(export_id: int, state: str, reason: str = "", *, now: datetime) -> None:
    """It failed or was cancelled: no file comes of it, and why."""
    Export.objects.filter(pk=export_id, state__in=rules.UNDER_WAY).update(
        state=state, reason=reason, finished_at=now
    )


@transaction.atomic
def cancel_export(public_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Stop an export that is under way, or delete a finished one's file before its time.

    Raises:
        NotAllowed: the actor may not export.
        NoSuchExport: it is not theirs.
    """
    check_may(actor, PERMISSION)
    row = _mine(public_id, actor)
    if row.state in rules.UNDER_WAY and row.job_id is not None:
        with contextlib.suppress(CannotCancel):  # it may have ended in this moment
            cancel_job(row.job_id, actor=actor, now=now)
    elif row.state != rules.READY:
        return
    Export.objects.filter(pk=row.pk).update(
        state=rules.CANCELLED, file_name="", finished_at=row.finished_at or now
    )
    transaction.on_commit(lambda: remove_file(row.file_name))
    record_entry(
        actor=actor, now=now, action="lake.cancel_export", subject=f"export:{row.public_id}"
    )


@transaction.atomic
def hand_out_export(public_id: UUID, *, actor: Actor, now: datetime) -> HandedOut:
    """Let a finished export out, through the gate, to who asked for it.

    Raises:
        NotAllowed: the actor may not export.
        NoSuchExport: it is not theirs.
        CannotHandOut: it is not ready, its time is over, or it was called back.
        ReleaseRefused: the gate says no.
    """
    check_may(actor, PERMISSION)
    row = _mine(public_id, actor)
    path = exports_folder() / row.file_name
    if row.state != rules.READY or row.expires_at is None or row.expires_at <= now:
        raise rules.CannotHandOut(reason="it is not ready, or its time is over.")
    if not row.file_name or not path.is_file():
        raise rules.CannotHandOut(reason="its file is gone; ask for it again.")
    if any(is_recalled(each.id) for each in holders_of(_KIND, str(row.public_id))):
        raise rules.CannotHandOut(reason="it was called back.")
    ending, media_type = rules.FORMATS[row.format]
    item = Item(
        kind=_KIND,
        identifier=str(row.public_id),
        tlp=row.tlp,
        title=f"Events, {row.rows} rows",
        digest=row.digest,
        organizations=frozenset(json.loads(row.organizations)),
    )
    audience = Audience("staff", actor.identifier, actor.name)
    check_released([release(item, audience, actor=actor, now=now)])
    Export.objects.filter(pk=row.pk).update(handed_out=F("handed_out") + 1)
    record_entry(
        actor=actor,
        now=now,
        action="lake.hand_out_export",
        subject=f"export:{row.public_id}",
        details={"rows": row.rows, "tlp": row.tlp, "sha256": row.digest},
    )
    return HandedOut(path, f"events-{row.requested_at:%Y%m%d-%H%M}.{ending}", media_type)


def remove_expired(*, actor: Actor, now: datetime) -> int:
    """Delete files whose time is over, and files that no row names; returns how many."""
    removed = 0
    for row in Export.objects.filter(state=rules.READY, expires_at__lte=now):
        removed += _expire(row, actor=actor, now=now)
    named = set(Export.objects.filter(state=rules.READY).values_list("file_name", flat=True))
    for path in exports_folder().iterdir():
        old = path.stat().st_mtime < (now - _ORPHAN_AGE).timestamp()
        if old and (path.suffix == ASIDE or path.name not in named):
            path.unlink(missing_ok=True)
            removed += 1
    return removed


@transaction.atomic
def _expire(row: Export, *, actor: Actor, now: datetime) -> int:
    gone = Export.objects.filter(pk=row.pk, state=rules.READY).update(
        state=rules.EXPIRED, file_name=""
    )
    if not gone:
        return 0
    remove_file(row.file_name)
    record_entry(
        actor=actor, now=now, action="lake.expire_export", subject=f"export:{row.public_id}"
    )
    return 1


def _mine(public_id: UUID, actor: Actor) -> Export:
    row = Export.objects.filter(public_id=public_id, requested_by=str(actor)).first()
    if row is None:
        raise rules.NoSuchExport
    return row
