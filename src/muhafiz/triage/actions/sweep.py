"""The sweep: what every source tells is laid against what the queue holds.

1. take the next sweep's number; 2. ask each source that is due; 3. per source, in one
transaction: enter what is new, correct what changed, bring back what returned, wake what waited
long enough, close what is over. Swept twice is swept once. A source that fails leaves its items as
they are. Owners and notes are never touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import transaction

from muhafiz.audit.actions.entries import Draft, record_entries
from muhafiz.common.actor import Actor
from muhafiz.common.rows import insert_rows
from muhafiz.constituency.queries import organizations
from muhafiz.rulebook.queries import value_or
from muhafiz.triage import rules
from muhafiz.triage.actions.lots import append_lines, change_items, write_items
from muhafiz.triage.models import Item, ItemNote, SourceMark, SweepCounter
from muhafiz.triage.sources import Source, sources
from muhafiz.triage.telling import Told, told_rows
from muhafiz.triage.waiting import Waiting

log = structlog.get_logger(__name__)

#: What of a row its source decides; everything else belongs to the people who work on it.
_TELLS = (
    "title", "params", "rank", "tlp", "organization_id", "sector", "reference", "route",
    "route_args", "route_query", "likeness", "seen_count", "more", "text", "due_at",
)  # fmt: skip


class SourceFailed(Exception):  # noqa: N818 - raised after every other source was swept
    """Some sources could not be asked; their items stay as they are."""


@dataclass
class Swept:
    """What a sweep did."""

    came: int = 0
    changed: int = 0
    returned: int = 0
    woken: int = 0
    over: int = 0


def sweep_sources(*, actor: Actor, now: datetime, everything: bool = False) -> Swept:
    """Ask the sources that are due (`everything`: all of them) and bring the queue up to date.

    Raises:
        SourceFailed: one or more could not be asked; the others were swept.
    """
    number, done, failed = _next_number(), Swept(), []
    targets = value_or("triage.targets", [], at=now)
    marks = {mark.kind: mark for mark in SourceMark.objects.all()}
    for kind, source in sources().items():
        if not everything and not _is_due(source, marks.get(kind), now):
            continue
        try:
            waiting = list(source.waiting(now))
        except Exception as fault:  # noqa: BLE001 - one source must not stop the others
            log.warning("a source of the queue failed", kind=kind, error=str(fault))
            _note_fault(kind, number, fault, now)
            failed.append(kind)
            continue
        _reconcile(kind, waiting, targets, number, done, actor=actor, now=now)
    _wake(done, actor=actor, now=now)
    if failed:
        raise SourceFailed(f"These sources could not be asked: {', '.join(failed)}.")
    return done


def _is_due(source: Source, mark: SourceMark | None, now: datetime) -> bool:
    """A mark of the future is a clock set back: the source is asked."""
    if mark is None or mark.error or mark.asked_at > now:
        return True
    return now - mark.asked_at >= source.EVERY - timedelta(seconds=5)


@transaction.atomic
def _next_number() -> int:
    counter = _locked_counter()
    counter.number += 1
    counter.save()
    return counter.number


def _locked_counter() -> SweepCounter:
    """The counter, locked until the transaction ends (SQLite's writer lock is the lock)."""
    SweepCounter.objects.get_or_create(pk=1)
    return SweepCounter.objects.select_for_update().get(pk=1)


def _note_fault(kind: str, number: int, fault: Exception, now: datetime) -> None:
    SourceMark.objects.update_or_create(
        kind=kind,
        defaults={"asked_at": now, "sweep": number, "error": f"{type(fault).__name__}: {fault}"},
    )


@transaction.atomic
def _reconcile(
    kind: str,
    waiting: Iterable[Waiting],
    targets: Iterable[Mapping[str, object]],
    number: int,
    done: Swept,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Lay one source's telling against its items; left to a later sweep that overtook this one."""
    _locked_counter()
    mark = SourceMark.objects.filter(pk=kind).first()
    if mark is not None and mark.sweep > number:
        return
    told = {one.key: one for one in waiting}
    owners = {one.organization_id for one in told.values() if one.organization_id is not None}
    telling = Told(kind, list(targets), organizations(owners) if owners else {}, number, now)
    # Closed ones that nobody tells of any more are history: only the others can still move.
    locked = Item.objects.select_for_update().filter(kind=kind)
    held = {row.key: row for row in locked.filter(told=True)}
    gone = {
        row.key: row
        for lot in _lots([key for key in told if key not in held])
        for row in locked.filter(key__in=lot)
    }
    fresh = told_rows(telling, [one for k, one in told.items() if k not in held and k not in gone])
    insert_rows(fresh)
    done.came += len(fresh)
    known = held | gone
    done.changed += _correct(
        telling, [(row, told[key]) for key, row in known.items() if key in told]
    )
    _bring_back(telling, [gone[key] for key in told if key in gone], done, actor=actor)
    _close_over([row for key, row in held.items() if key not in told], done, actor=actor, now=now)
    SourceMark.objects.update_or_create(
        kind=kind, defaults={"asked_at": now, "sweep": number, "items": len(told), "error": ""}
    )


def _lots(keys: list[str]) -> Iterable[list[str]]:
    return (keys[at : at + 5_000] for at in range(0, len(keys), 5_000))


def _correct(telling: Told, pairs: list[tuple[Item, Waiting]]) -> int:
    """Write what a source now tells otherwise, by one statement for each lot."""
    changed = []
    for row, one in pairs:
        before = [getattr(row, name) for name in _TELLS]
        telling.tell(row, one)
        if before != [getattr(row, name) for name in _TELLS]:
            changed.append(row)
    write_items(changed, _TELLS)
    return len(changed)


def _bring_back(telling: Told, rows: list[Item], done: Swept, *, actor: Actor) -> None:
    """What was gone and is told of again: open anew, with its owner and a clock of its own."""
    for row in rows:
        row.told = True
        if row.state != rules.CLOSED:
            continue
        row.state = rules.state_after("reopen", row.owner)
        row.closed_at, row.closed_reason = None, ""
        row.arrived_at, row.arrival = telling.now, telling.number
        row.due_at = telling.due(row)
        done.returned += 1
    fields = ("told", "state", "closed_at", "closed_reason", "arrived_at", "arrival", "due_at")
    change_items(rows, fields, by="", now=telling.now)
    back = [row for row in rows if row.arrival == telling.number]
    _tell_of(back, "came-back", "triage.bring_back_item", actor=actor, now=telling.now)


def _close_over(rows: list[Item], done: Swept, *, actor: Actor, now: datetime) -> None:
    """What its source no longer tells of: closed, unless an officer closed it already."""
    closing = [row for row in rows if row.state != rules.CLOSED]
    for row in rows:
        row.told = False
    for row in closing:
        row.state, row.closed_at, row.closed_reason = rules.CLOSED, now, rules.OVER
        row.wait_until = None
        row.waits_for = ""
    fields = ("told", "state", "closed_at", "closed_reason", "wait_until", "waits_for")
    change_items(rows, fields, by="", now=now)
    done.over += len(closing)
    _tell_of(closing, rules.OVER, "triage.close_item_over", actor=actor, now=now)


@transaction.atomic
def _wake(done: Swept, *, actor: Actor, now: datetime) -> None:
    """What waited until a moment that has come is an officer's again."""
    _locked_counter()
    rows = list(Item.objects.select_for_update().filter(state=rules.WAITING, wait_until__lte=now))
    for row in rows:
        row.state = rules.state_after("reopen", row.owner)
        row.wait_until = None
        row.waits_for = ""
    change_items(rows, ("state", "wait_until", "waits_for"), by="", now=now)
    done.woken += len(rows)
    _tell_of(rows, "woken", "triage.wake_item", actor=actor, now=now)


def _tell_of(rows: list[Item], act: str, entry: str, *, actor: Actor, now: datetime) -> None:
    """A line in each item's history, and an audit entry for each."""
    if not rows:
        return
    append_lines([ItemNote(item=row, act=act, at=now, by=str(actor), by_name="") for row in rows])
    drafts = [Draft(entry, f"item:{row.pk}", {"kind": row.kind, "key": row.key}) for row in rows]
    record_entries(drafts, actor=actor, now=now)
