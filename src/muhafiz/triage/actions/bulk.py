"""One act on thousands of items: fixed at once, worked in portions, free to be left.

1. the ids are fixed when the officer confirms, so that what comes later is not touched; 2. a job
moves portion after portion; the run's position moves in the portion's own transaction, so that a
run cut short goes on where it stood; 3. what could not be moved is kept with its reason.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from muhafiz.accounts.queries import person_actor
from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.common.refusal import Refusal
from muhafiz.common.rows import insert_rows
from muhafiz.jobs.actions.queue import enqueue_job
from muhafiz.triage import rules
from muhafiz.triage.actions.items import Moved, Order, check_order, move_items
from muhafiz.triage.filters import Chosen, Selection
from muhafiz.triage.models import BulkFailure, BulkRun
from muhafiz.triage.queries import selected

#: As many items are moved while the officer waits; more become a job.
AT_ONCE = 100
_PORTION = 200
JOB = "triage.move_many"


class NoSuchRun(Refusal):
    """There is no bulk run of this number."""

    text = "There is no bulk run {run_id}."


def move_selection(
    chosen: Selection, order: Order, *, query: str, actor: Actor, now: datetime
) -> Moved | int:
    """Move few items at once, or start a run of many and return its number.

    Raises:
        NothingChosen: the selection is empty.
        NotAllowed, ReasonMissing, BadWait, BadNote, CannotAssign: no item is moved.
    """
    check_order(order, actor=actor, now=now)
    found = selected(chosen, viewer=actor, now=now)
    if not found:
        raise rules.NothingChosen
    if len(found) <= AT_ONCE:
        seen = dict(chosen.items) if isinstance(chosen, Chosen) else {}
        return move_items({each: seen.get(each) for each in found}, order, actor=actor, now=now)
    return start_bulk(found, order, query=query, actor=actor, now=now)


@transaction.atomic
def start_bulk(items: list[int], order: Order, *, query: str, actor: Actor, now: datetime) -> int:
    """Fix what is to be moved and queue the work; returns the run's number.

    Raises:
        NotAllowed, ReasonMissing, BadWait, BadNote, CannotAssign: nothing is started.
    """
    check_order(order, actor=actor, now=now)
    run = BulkRun.objects.create(
        act=order.act,
        params={
            "reason": order.reason,
            "text": order.text,
            "whom": order.whom,
            "until": order.until.isoformat() if order.until else None,
        },
        query=query,
        items=items,
        total=len(items),
        actor={"kind": actor.kind, "identifier": actor.identifier},
        started_by=int(actor.identifier) if actor.kind == "person" else None,
        started_name=actor.name,
        started_at=now,
    )
    run.job_id = enqueue_job(JOB, {"run_id": run.pk}, actor=actor, now=now)
    run.save(update_fields=["job_id"])
    record_entry(
        actor=actor, now=now, action="triage.start_bulk", subject=f"bulk:{run.pk}",
        details={"act": order.act, "items": len(items), "query": query, "reason": order.reason},
    )  # fmt: skip
    return run.pk


@transaction.atomic
def stop_bulk(*, run_id: int, actor: Actor, now: datetime) -> None:
    """Ask a run to stop after its present portion; what was moved stays moved.

    Raises:
        NotAllowed, NoSuchRun: as their names say.
    """
    check_order(Order("take"), actor=actor, now=now)
    if not BulkRun.objects.filter(pk=run_id).update(stop_asked=True):
        raise NoSuchRun(run_id=run_id)
    record_entry(actor=actor, now=now, action="triage.stop_bulk", subject=f"bulk:{run_id}")


def work_bulk(
    *, run_id: int, now: Callable[[], datetime], report: Callable[[int, int], None]
) -> None:
    """Move portion after portion until the run is through or was asked to stop.

    Raises:
        NoSuchRun: there is none.
    """
    going = True
    while going:
        going, done, total = _work_portion(run_id, now())
        report(done, total)


@transaction.atomic
def _work_portion(run_id: int, now: datetime) -> tuple[bool, int, int]:
    """Move the next portion; whether there is more to do, and how far it has come."""
    run = BulkRun.objects.select_for_update().filter(pk=run_id).first()
    if run is None:
        raise NoSuchRun(run_id=run_id)
    if run.state != "running":
        return False, run.position, run.total
    actor = _actor(run)
    if run.stop_asked or actor is None:
        return _end(run, "stopped", now)
    portion = run.items[run.position : run.position + _PORTION]
    moved = _moved(run, portion, actor, now)
    insert_rows(
        [
            BulkFailure(run=run, item_id=identifier, text=no.text, params=_told(no))
            for identifier, no in moved.refused
        ]
    )
    run.position += len(portion)
    run.done += len(moved.done)
    run.failed += len(moved.refused)
    if run.position >= run.total:
        return _end(run, "done", now)
    run.save(update_fields=["position", "done", "failed"])
    return True, run.position, run.total


def _moved(run: BulkRun, portion: list[int], actor: Actor, now: datetime) -> Moved:
    """The portion's outcome.

    An order that no longer holds (the officer lost the right, or the new owner left) fails for
    every item of it.
    """
    until = run.params.get("until")
    order = Order(
        act=next(act for act in rules.ACTS if act == run.act),
        reason=run.params["reason"],
        text=run.params["text"],
        whom=run.params["whom"],
        until=datetime.fromisoformat(until) if until else None,
    )
    try:
        return move_items(dict.fromkeys(portion), order, actor=actor, now=now)
    except Refusal as no:
        return Moved(refused=[(identifier, no) for identifier in portion])


def _told(no: Refusal) -> dict[str, str]:
    return {name: str(value) for name, value in no.params.items()}


def _actor(run: BulkRun) -> Actor | None:
    """Who asked for the run, with the roles held now; None when they are gone."""
    if run.started_by is not None:
        return person_actor(run.started_by)
    return Actor.command(run.actor["identifier"])


def _end(run: BulkRun, state: str, now: datetime) -> tuple[bool, int, int]:
    run.state, run.finished_at = state, now
    run.save(update_fields=["position", "done", "failed", "state", "finished_at"])
    return False, run.position, run.total
