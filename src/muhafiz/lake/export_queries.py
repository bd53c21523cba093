"""Exports as the face reads them: each person sees their own and no other's."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from muhafiz.common.actor import Actor
from muhafiz.jobs import queries as jobs
from muhafiz.jobs.queries import JobFacts
from muhafiz.lake import export_rules as rules
from muhafiz.lake.models import Export


@dataclass(frozen=True, slots=True)
class ExportFacts:
    """An export as it stands; `done` is how many rows were written of the `expected` ones."""

    public_id: UUID
    requested_at: datetime
    told: str
    columns: tuple[str, ...]
    format: str
    state: str
    reason: str
    expected: int
    done: int
    rows: int
    left_out: int
    tlp: str
    size_bytes: int
    digest: str
    finished_at: datetime | None
    expires_at: datetime | None
    handed_out: int

    @property
    def under_way(self) -> bool:
        """Whether it still waits or is being written."""
        return self.state in rules.UNDER_WAY


def exports(*, viewer: Actor, now: datetime, limit: int = 50) -> list[ExportFacts]:
    """The viewer's own exports, the newest first."""
    rows = list(Export.objects.filter(requested_by=str(viewer)).order_by("-id")[:limit])
    return [_facts(row, now) for row in rows]


def export(public_id: UUID, *, viewer: Actor, now: datetime) -> ExportFacts | None:
    """One export of the viewer's; None when there is none, or it is another's."""
    row = Export.objects.filter(public_id=public_id, requested_by=str(viewer)).first()
    return None if row is None else _facts(row, now)


def _facts(row: Export, now: datetime) -> ExportFacts:
    state, reason, done = row.state, row.reason, row.rows
    if state in rules.UNDER_WAY and row.job_id is not None:  # few: rules.MOST_AT_ONCE
        work = jobs.job(row.job_id)
        state, reason, done = _standing(state, work)
    if state == rules.READY and row.expires_at is not None and row.expires_at <= now:
        state = rules.EXPIRED
    return ExportFacts(
        public_id=row.public_id,
        requested_at=row.requested_at,
        told=row.told,
        columns=tuple(json.loads(row.columns)),
        format=row.format,
        state=state,
        reason=reason,
        expected=row.expected,
        done=done,
        rows=row.rows,
        left_out=row.left_out,
        tlp=row.tlp,
        size_bytes=row.size_bytes,
        digest=row.digest,
        finished_at=row.finished_at,
        expires_at=row.expires_at,
        handed_out=row.handed_out,
    )


def _standing(state: str, work: JobFacts | None) -> tuple[str, str, int]:
    """State, reason and progress of what is under way, as its job has them."""
    if work is None or work.state == "failed":
        return rules.FAILED, "", 0
    return (rules.CANCELLED if work.state == "cancelled" else state), "", work.done or 0
