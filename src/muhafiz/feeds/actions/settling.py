"""What reading rows again brought is settled with them, in one transaction for each batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
from django.db import transaction
from django.db.models import Q

from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.feeds import rules
from muhafiz.feeds.actions.batches import append, locked
from muhafiz.feeds.actions.keeping import set_aside_row
from muhafiz.feeds.models import SetAsideRow
from muhafiz.feeds.places import Places, faults, packed, places_of, unpacked
from muhafiz.feeds.reading import ReadBatch

_AT_ONCE = 500
_OPEN, _REPLAYED = SetAsideRow.State.OPEN, SetAsideRow.State.REPLAYED


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of the places of one batch, and who settles them when."""

    accepted: Places
    refused: pa.Table  # SET_ASIDE
    actor: Actor
    now: datetime


@dataclass(frozen=True, slots=True)
class _Standing:
    """A row set aside and which of its places were asked for."""

    row: SetAsideRow
    asked: Places
    left: Places  # others that it stands for


@transaction.atomic
def settle(report_id: int, batch: ReadBatch, asked: Places, *, actor: Actor, now: datetime) -> int:
    """Append what is accepted now and settle its rows; how many.

    Raises:
        CannotReplay: some of the rows were settled meanwhile.
    """
    report = locked(report_id)
    standing = list(_standing(report_id, asked))
    if sum(len(each.asked) for each in standing) != len(asked):
        raise rules.CannotReplay(reason="some rows were settled meanwhile")
    accepted = asked[~np.isin(asked, places_of(batch.set_aside))]
    if batch.accepted != len(accepted):
        raise rules.CannotReplay(reason="the report's rows no longer lie where they lay")
    report.new_events += append(report, batch, actor=actor, now=now)
    outcome = _Outcome(accepted, batch.set_aside, actor, now)
    _settle_single([each.row for each in standing if each.row.places is None], outcome)
    for each in standing:
        if each.row.places is not None:
            _settle_many(each, outcome)
    report.rows_accepted += batch.accepted
    report.rows_owned += batch.owned
    report.rows_open -= len(accepted)
    report.save(
        update_fields=["rows_accepted", "rows_owned", "rows_open", "new_events", "next_batch"]
    )
    record_entry(
        actor=actor,
        now=now,
        action="feeds.replay_set_aside",
        subject=f"report:{report_id}",
        details={"accepted": len(accepted), "refused": len(asked) - len(accepted)},
    )
    return len(accepted)


def _standing(report_id: int, asked: Places) -> Iterator[_Standing]:
    """The open rows that stand for places asked for."""
    first, last = int(asked[0]), int(asked[-1])
    begins = Q(row__gte=first) | Q(places__isnull=False)
    found = SetAsideRow.objects.filter(begins, report_id=report_id, state=_OPEN, row__lte=last)
    single = set(asked.tolist())
    for row in found.order_by("row").defer("raw", "edited"):
        if row.places is None:
            if row.row in single:
                yield _Standing(row, np.array([row.row]), np.empty(0, np.int64))
            continue
        places = unpacked(bytes(row.places))
        meant = np.isin(places, asked, assume_unique=True)
        if meant.any():
            yield _Standing(row, places[meant], places[~meant])


def _settle_single(rows: Sequence[SetAsideRow], outcome: _Outcome) -> None:
    told = outcome.refused.drop_columns(["raw"]).to_pylist() if rows else []
    refused = {each["row"]: each for each in told}
    for row in rows:
        if row.row not in refused:
            row.state, row.settled_at, row.settled_by = _REPLAYED, outcome.now, str(outcome.actor)
            continue
        found = refused[row.row]
        row.reason, row.detail = found["reason"][:60], found["detail"]
        row.column = (found["column"] or "")[:200]
    fields = ["state", "settled_at", "settled_by", "reason", "detail", "column"]
    SetAsideRow.objects.bulk_update(rows, fields, batch_size=_AT_ONCE)


def _settle_many(standing: _Standing, outcome: _Outcome) -> None:
    """One row that stood for many: what is accepted of it and what stays go apart, by fault."""
    row = standing.row
    accepted = standing.asked[np.isin(standing.asked, outcome.accepted)]
    mine = np.isin(places_of(outcome.refused), standing.asked)
    faulty = list(faults(outcome.refused.filter(pa.array(mine))))
    parts = [set_aside_row(row.report_id, row.kind, fault) for fault in faulty]
    if len(standing.left):
        parts.append(_part(row, standing.left))
    if len(accepted):
        settled = _part(row, accepted)
        settled.state, settled.settled_at = _REPLAYED, outcome.now
        settled.settled_by = str(outcome.actor)
        parts.append(settled)
    parts[0].pk = row.pk
    parts[0].save(force_update=True)  # its first place changes before another takes the old one
    SetAsideRow.objects.bulk_create(parts[1:], batch_size=_AT_ONCE)


def _part(row: SetAsideRow, places: Places) -> SetAsideRow:
    """A row that stands for some of the places of another, whose fault it has."""
    first = int(places[0])
    return SetAsideRow(
        report_id=row.report_id,
        kind=row.kind,
        reason=row.reason,
        column=row.column,
        detail=row.detail,
        raw=row.raw if first == row.row else b"",
        row=first,
        rows=len(places),
        places=packed(places) if len(places) > 1 else None,
    )
