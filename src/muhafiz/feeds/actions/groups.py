"""All rows set aside for one reason, at once: read again, or dismissed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime

from django.db import transaction
from django.db.models import Sum

from muhafiz.accounts.rules import check_may
from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.common.refusal import Refusal
from muhafiz.feeds import rules
from muhafiz.feeds.actions.batches import locked
from muhafiz.feeds.actions.replay import Replayed, dismiss_found, replay_found
from muhafiz.feeds.facts import SetAsideChoice
from muhafiz.feeds.models import SetAsideRow
from muhafiz.feeds.queries import chosen_rows
from muhafiz.jobs.actions.queue import enqueue_job

REPLAY_GROUP_JOB = "feeds.replay_group"
_REFUSED = (rules.CannotReplay, rules.CannotReprocess, rules.RawMissing)


@transaction.atomic
def queue_group_replay(*, chosen: SetAsideChoice, actor: Actor, now: datetime) -> int:
    """Queue the reading of all chosen rows with today's mappings; the job's number.

    Raises:
        CannotReplay: no open row is meant.
    """
    check_may(actor, "reports.replay")
    if chosen.state != SetAsideRow.State.OPEN or not chosen_rows(chosen).exists():
        raise rules.CannotReplay(reason="no open row is meant")
    return enqueue_job(REPLAY_GROUP_JOB, {"chosen": asdict(chosen)}, actor=actor, now=now)


def replay_group(
    *,
    chosen: SetAsideChoice,
    actor: Actor,
    clock: Callable[[], datetime],
    tick: Callable[[int, int, str], None] = lambda _done, _total, _note: None,
) -> Replayed:
    """Read all chosen rows again, a batch of a report at a time. May be killed and run anew.

    Raises:
        CannotReplay, CannotReprocess, RawMissing: of one report, after all the others were read.
    """
    refused: list[Refusal] = []
    found = chosen_rows(chosen)
    total = found.aggregate(rows=Sum("rows"))["rows"] or 0
    achieved = Replayed()
    for report_id in sorted(set(found.values_list("report_id", flat=True))):

        def told(taken: int, left: int, before: Replayed = achieved) -> None:
            so_far = before + Replayed(taken, left)
            tick(so_far.rows, total, so_far.note())

        mine = found.filter(report_id=report_id)
        try:
            achieved += replay_found(
                report_id=report_id, found=mine, actor=actor, clock=clock, tick=told
            )
        except _REFUSED as refusal:
            refused.append(refusal)
        else:
            tick(achieved.rows, total, achieved.note())
    if refused:
        raise refused[0]
    return achieved


@transaction.atomic
def dismiss_group(*, chosen: SetAsideChoice, note: str, actor: Actor, now: datetime) -> int:
    """Settle all chosen open rows as of no use, with the reason; how many.

    Raises:
        CannotReplay: no reason is given, or no open row is meant.
    """
    check_may(actor, "reports.replay")
    if not note.strip():
        raise rules.CannotReplay(reason="a dismissal needs its reason")
    total = 0
    for report_id in sorted(set(chosen_rows(chosen).values_list("report_id", flat=True))):
        report = locked(report_id)
        mine = chosen_rows(chosen).filter(report_id=report_id)
        count = dismiss_found(mine, note=note, actor=actor, now=now)
        report.rows_open -= count
        report.save(update_fields=["rows_open"])
        total += count
    if chosen.state != SetAsideRow.State.OPEN or not total:
        raise rules.CannotReplay(reason="no open row is meant")
    record_entry(
        actor=actor,
        now=now,
        action="feeds.dismiss_group",
        subject=f"set aside:{chosen.feed or ''}",
        details={"rows": total, "note": note, **asdict(chosen)},
    )
    return total
