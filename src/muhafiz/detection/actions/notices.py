"""Sending what is due, and sending now."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from typing import Final, TypeVar

import duckdb
import pyarrow as pa
from django.db import transaction

from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.common.clock import Clock
from muhafiz.common.refusal import Refusal
from muhafiz.detection.actions.issuing import (
    build_notices,
    issue_notices,
    prepare_notices,
)
from muhafiz.detection.actions.windows import (
    gather_arrivals,
    merge_told_files,
    plan_run,
    seal_windows,
    sort_unmatched,
)
from muhafiz.detection.composing import chunks
from muhafiz.detection.facts import Sent
from muhafiz.detection.files import located
from muhafiz.detection.models import DigestPolicy, DigestRun, Notice, Pool, TakenAhead
from muhafiz.detection.recipients import house
from muhafiz.detection.stored import notice_table, policy_value

T = TypeVar("T")
LETTERS_AT_ONCE = 1_000  # in one transaction
_LOG = logging.getLogger(__name__)
#: What reading a file that is cut short, altered or gone makes the libraries raise.
_DAMAGED: Final = (OSError, ValueError, pa.ArrowException, duckdb.Error)

#: Called with (organizations done, organizations in all, what is being done).
Progress = Callable[[int, int, str], None]


class DigestUnfinished(Refusal):
    """A step of the digest met a file that cannot be read; everything else was done."""

    text = "{faults} of the digest failed; everything else was done. The first: {step}: {fault}"


class NothingToSend(Refusal):
    """No event of this organization waits to be told."""

    text = "Nothing waits to be told to organization {organization}."


def send_due_notices(*, actor: Actor, clock: Clock, progress: Progress = lambda *_: None) -> Sent:
    """The whole digest: gather, sort, seal, plan, compose. Run as often as wanted.

    Each step stands on its own committed outcome, so whatever was killed goes on where it was. A
    report, run or file that is damaged keeps back what is in it and nothing else.

    Raises:
        DigestUnfinished: some step failed; all others were taken.
    """
    faults: list[tuple[str, Exception]] = []
    gathered = 0
    with apart("gathering new events", faults):
        gathered = gather_arrivals(actor=actor, now=clock.now())
    with apart("sorting unmatched events", faults):
        sort_unmatched(actor=actor, now=clock.now())
    sealed = seal_windows(actor=actor, now=clock.now())
    composed: list[str] = []
    for run in DigestRun.objects.exclude(state=DigestRun.State.DONE).order_by("pk"):
        with apart(f"policy {run.policy_code}, {run.window}", faults):
            plan_run(run.pk, actor=actor, now=clock.now())
            composed += compose_run(run.pk, actor=actor, clock=clock, progress=progress)
    with apart("merging told files", faults):
        merge_told_files(now=clock.now())
    check_finished(faults)
    return Sent(
        gathered=gathered,
        runs=len(sealed),
        notices=composed.count(Notice.State.RELEASED),
        undeliverable=composed.count(Notice.State.UNDELIVERABLE),
        refused=composed.count(Notice.State.REFUSED),
    )


def check_finished(faults: Sequence[tuple[str, Exception]]) -> None:
    """Tell what `apart` has noted.

    Raises:
        DigestUnfinished: it has noted something.
    """
    if faults:
        step, fault = faults[0]
        raise DigestUnfinished(faults=len(faults), step=step, fault=fault) from fault


@contextmanager
def apart(step: str, faults: list[tuple[str, Exception]]) -> Iterator[None]:
    """Note what damaged files do to this step, and let the others go on."""
    try:
        yield
    except _DAMAGED as fault:
        _LOG.exception("digest: %s", step)
        faults.append((step, fault))


def compose_run(
    run_id: int, *, actor: Actor, clock: Clock, progress: Progress = lambda *_: None
) -> list[str]:
    """Compose a planned run's letters from where it stands; the states of the new notices."""
    run = DigestRun.objects.select_related("policy").get(pk=run_id)
    if run.state != DigestRun.State.COMPOSING:
        return []
    states: list[str] = []
    author = house(clock.now())
    policy = policy_value(run.policy)
    portions = (
        build_notices(chunk, policy, run.sealed_at, author)
        for chunk in chunks(located(run.path), run.composed_until, LETTERS_AT_ONCE)
    )
    for built in _one_ahead(portions):
        now = clock.now()
        prepared = prepare_notices(built, now)
        with transaction.atomic():
            if not _advance(run, built.upto):
                return states  # another job is composing this run
            made = issue_notices(prepared, run, actor=actor, now=now)
            _record_composing(run, made, actor, now)
        states += [notice.state for notice in made]
        progress(len(states), run.recipients, f"{run.policy_code}, {run.window}")
    DigestRun.objects.filter(
        pk=run.pk, state=DigestRun.State.COMPOSING, composed_until=run.composed_until
    ).update(state=DigestRun.State.DONE, finished_at=clock.now())
    return states


def _one_ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items; while one is used, the next is made in another thread."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        waiting = pool.submit(next, items, None)
        while (item := waiting.result()) is not None:
            waiting = pool.submit(next, items, None)
            yield item


def _advance(run: DigestRun, upto: int) -> bool:
    """Take the chunk: the run's mark moves on only from where this job saw it."""
    standing = DigestRun.objects.filter(
        pk=run.pk, state=DigestRun.State.COMPOSING, composed_until=run.composed_until
    )
    if not standing.update(composed_until=upto):
        return False
    run.composed_until = upto
    return True


def _record_composing(run: DigestRun, made: list[Notice], actor: Actor, now: datetime) -> None:
    numbers = [notice.number for notice in made if notice.number]
    record_entry(
        actor=actor,
        now=now,
        action="detection.compose_notices",
        subject=f"digest:{run.pk}",
        details={
            "upto": run.composed_until,
            "first": numbers[0] if numbers else "",
            "last": numbers[-1] if numbers else "",
            "released": len(numbers),
            "others": len(made) - len(numbers),
        },
    )


def send_now(*, organization_id: int, actor: Actor, clock: Clock) -> list[int]:
    """Tell one organization at once all that waits for its policies' windows; the notices' ids.

    Thresholds are not heeded, everything else is. What was taken is not told again when the
    windows close.

    Raises:
        NothingToSend: nothing of this organization waits.
    """
    gather_arrivals(actor=actor, now=clock.now())
    runs = _take_ahead(organization_id, actor, clock.now())
    if not runs:
        raise NothingToSend(organization=organization_id)
    for run in runs:
        plan_run(run, actor=actor, now=clock.now())
        compose_run(run, actor=actor, clock=clock)
    found = Notice.objects.filter(run_id__in=runs).order_by("pk")
    return list(found.values_list("pk", flat=True))


@transaction.atomic
def _take_ahead(organization_id: int, actor: Actor, now: datetime) -> list[int]:
    runs = []
    for policy in DigestPolicy.objects.filter(valid_to=None).order_by("code"):
        waiting = Pool.objects.filter(policy_code=policy.code, run=None).select_for_update()
        pools = [
            pool
            for pool in waiting.order_by("pk")
            if not pool.taken.filter(organization_id=organization_id).exists()
            and _has_rows(pool, organization_id)
        ]
        if not pools:
            continue
        run = DigestRun.objects.create(
            policy=policy,
            policy_code=policy.code,
            window=f"now {organization_id} {pools[0].pk}",
            window_start=pools[0].gathered_at,
            window_end=now,
            organization_id=organization_id,
            sealed_at=now,
        )
        TakenAhead.objects.bulk_create(
            [TakenAhead(pool=pool, organization_id=organization_id, run=run) for pool in pools]
        )
        runs.append(run.pk)
    if runs:
        record_entry(
            actor=actor,
            now=now,
            action="detection.send_now",
            subject=f"organization:{organization_id}",
            details={"digests": runs},
        )
    return runs


def _has_rows(pool: Pool, organization_id: int) -> bool:
    return bool(notice_table(pool.path, organization_id).num_rows)
