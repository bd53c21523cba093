"""What sightings and time do to findings, many at once; each move is a line of their history."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q

from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.common.rows import insert_rows
from muhafiz.constituency.queries import portions
from muhafiz.detection.actions.finding_rows import Summed
from muhafiz.detection.asset_answers import settled_states
from muhafiz.detection.finding_rules import (
    PENDING,
    Moved,
    Standing,
    State,
    after_sighting,
    after_time,
)
from muhafiz.detection.models import Finding, Response
from muhafiz.detection.recipients import quiet_after, zone


@dataclass(frozen=True, slots=True)
class _Move:
    """A finding that changes its state, from where it stood."""

    id: int
    organization_id: int
    standing: Standing
    moved: Moved


def move_findings(summed: Iterable[Summed], *, actor: Actor, now: datetime) -> int:
    """Reopen what was seen again; how many. Call within the transaction that summed them up.

    A finding whose state is the sum of its assets' answers is opened by an asset without one.
    """
    lasting = quiet_after(now)
    moves: list[_Move] = []
    by_assets: list[Summed] = []
    for each in summed:
        if each.by_assets and each.seen_further:
            by_assets.append(each)
            continue
        moved = after_sighting(each.standing, now=now, quiet_after=lasting)
        if moved is not None:
            moves.append(_Move(each.id, each.organization_id, each.standing, moved))
    states = settled_states([each.id for each in by_assets], now=now) if by_assets else {}
    moves += [
        _Move(each.id, each.organization_id, each.standing, Moved("open", "seen_again"))
        for each in by_assets
        if states.get(each.id) is None
    ]
    return _move(moves, actor, now)


@transaction.atomic
def settle_findings(*, actor: Actor, now: datetime) -> int:
    """End exceptions whose day has come and close what is not seen any more; how many."""
    lasting, today = quiet_after(now), now.astimezone(zone(now)).date()
    over = Q(state="excepted", until__lte=today)
    unseen = Q(state__in=PENDING, last_seen__lt=now - lasting)
    moves = []
    for row in Finding.objects.filter(over | unseen):
        standing = Standing(_state(row.state), row.state_at, row.last_seen, row.until)
        moved = after_time(standing, today=today, now=now, quiet_after=lasting)
        if moved is not None:
            moves.append(_Move(row.pk, row.organization_id, standing, moved))
    changed = _move(moves, actor, now)
    if changed:
        kinds = [move.moved.noted for move in moves]
        record_entry(
            actor=actor,
            now=now,
            action="detection.settle_findings",
            subject="findings",
            details={kind: kinds.count(kind) for kind in sorted(set(kinds))},
        )
    return changed


def _state(text: str) -> State:
    return text  # type: ignore[return-value]  # only rules write the column


def _move(moves: Sequence[_Move], actor: Actor, now: datetime) -> int:
    """Write the moves; every kind of move is one statement per lot of findings."""
    for noted, state in {(move.moved.noted, move.moved.state) for move in moves}:
        ids = [m.id for m in moves if (m.moved.noted, m.moved.state) == (noted, state)]
        for some in portions(ids):
            chosen = Finding.objects.filter(pk__in=some)
            chosen.update(state=state, state_at=now, until=None, review="", by_assets=False)
            if state == "open":
                chosen.update(reopened=F("reopened") + 1)
    insert_rows(
        [
            Response(
                finding_id=move.id,
                organization_id=move.organization_id,
                kind=move.moved.noted,
                state=move.moved.state,
                at=now,
                by=str(actor)[:200],
                by_name=actor.name[:200],
                by_owner=False,
            )
            for move in moves
        ]
    )
    return len(moves)
