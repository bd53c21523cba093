"""Sending what is due, sending now, holding, and letting go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TypeVar

from django.db import transaction

from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.common.clock import Clock
from muhafiz.common.refusal import Refusal
from muhafiz.detection.actions.issuing import (
    build_notices,
    issue_notices,
    prepare_notices,
    send_notices,
)
from muhafiz.detection.actions.windows import (
    gather_arrivals,
    merge_told_files,
    plan_run,
    seal_windows,
    sort_unmatched,
)
from muhafiz.detection.composing import Chunk, chunks
from muhafiz.detection.facts import Sent
from muhafiz.detection.files import located
from muhafiz.detection.models import DigestPolicy, DigestRun, Notice, Pool, TakenAhead
from muhafiz.detection.recipients import contacts, house
from muhafiz.detection.stored import notice_table, policy_value
from muhafiz.notifications.actions.letters import cancel_message
from muhafiz.notifications.queries import letter

T = TypeVar("T")
LETTERS_AT_ONCE = 1_000  # in one transaction
_TRY_AGAIN_FOR = timedelta(days=30)  # an undeliverable notice waits so long for a contact

#: Called with (organizations done, organizations in all, what is being done).
Progress = Callable[[int, int, str], None]


class CannotHold(Refusal):
    """The notice's letter has left, or there is none."""

    text = "Notice {notice} cannot be held: {reason}."


class CannotLetGo(Refusal):
    """The notice is not held, or nobody can be written to."""

    text = "Notice {notice} cannot be sent: {reason}."


class NothingToSend(Refusal):
    """No event of this organization waits to be told."""

    text = "Nothing waits to be told to organization {organization}."


def send_due_notices(*, actor: Actor, clock: Clock, progress: Progress = lambda *_: None) -> Sent:
    """The whole digest: gather, sort, seal, plan, compose. Run as often as wanted.

    Each step stands on its own committed outcome, so whatever was killed goes on where it was.
    """
    gathered = gather_arrivals(actor=actor, now=clock.now())
    sort_unmatched(actor=actor, now=clock.now())
    sealed = seal_windows(actor=actor, now=clock.now())
    composed: list[str] = []
    for run in DigestRun.objects.exclude(state=DigestRun.State.DONE).order_by("pk"):
        plan_run(run.pk, actor=actor, now=clock.now())
        composed += compose_run(run.pk, actor=actor, clock=clock, progress=progress)
    merge_told_files(now=clock.now())
    return Sent(
        gathered=gathered,
        runs=len(sealed),
        notices=composed.count(Notice.State.RELEASED),
        undeliverable=composed.count(Notice.State.UNDELIVERABLE),
        refused=composed.count(Notice.State.REFUSED),
    )


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


def send_stranded(*, actor: Actor, now: datetime) -> int:
    """Send undeliverable notices of the last 30 days that have a contact now; how many."""
    stranded = Notice.objects.filter(
        state=Notice.State.UNDELIVERABLE, created_at__gte=now - _TRY_AGAIN_FOR
    )
    owners = set(stranded.values_list("organization_id", flat=True))
    reachable = [owner for owner, found in contacts(owners, now).items() if found]
    sent = 0
    for start in range(0, len(reachable), LETTERS_AT_ONCE):
        some = reachable[start : start + LETTERS_AT_ONCE]
        for notice in stranded.filter(organization_id__in=some).order_by("pk"):
            state = _compose_again(notice.pk, notice.window, actor, now)
            sent += state == Notice.State.RELEASED
    return sent


@transaction.atomic
def hold_notice(*, notice_id: int, reason: str, actor: Actor, now: datetime) -> None:
    """Keep a notice's letters from leaving; those that left stay sent.

    Raises:
        CannotHold: no letter of it is still in the outbox, or no reason is given.
    """
    notice = Notice.objects.select_for_update().get(pk=notice_id)
    if not reason.strip():
        raise CannotHold(notice=notice, reason="it needs a reason")
    ids = [entry["message"] for entry in notice.letters]
    found = [letter(message) for message in ids]
    waiting = [each for each in found if each is not None and each.state in {"queued", "held"}]
    if notice.state != Notice.State.RELEASED or not waiting or len(waiting) < len(ids):
        raise CannotHold(notice=notice, reason="its letter has left, or there is none")
    for each in waiting:
        cancel_message(message=each.id, reason=f"Held: {reason}", actor=actor, now=now)
    notice.state, notice.reason = Notice.State.HELD, reason
    notice.save(update_fields=["state", "reason"])
    record_entry(
        actor=actor,
        now=now,
        action="detection.hold_notice",
        subject=f"notice:{notice.pk}",
        details={"reason": reason},
    )


@transaction.atomic
def release_notice(*, notice_id: int, actor: Actor, now: datetime) -> None:
    """Send a held notice after all, or an undeliverable one that has a contact now.

    Raises:
        CannotLetGo: it is neither, or nobody can be written to.
    """
    notice = Notice.objects.select_for_update().get(pk=notice_id)
    if notice.state not in {Notice.State.HELD, Notice.State.UNDELIVERABLE}:
        raise CannotLetGo(notice=notice, reason=f"it is {notice.state}")
    if not contacts([notice.organization_id], now)[notice.organization_id]:
        raise CannotLetGo(notice=notice, reason="there is nobody to write to")
    held = notice.state == Notice.State.HELD
    # A held notice's first letters keep their keys in the outbox: a person asks for new ones.
    window = f"{notice.window} let go {now:%Y-%m-%dT%H:%M:%S}" if held else notice.window
    _compose_again(notice.pk, window, actor, now)
    record_entry(
        actor=actor,
        now=now,
        action="detection.release_notice",
        subject=f"notice:{notice.pk}",
    )


@transaction.atomic
def _compose_again(notice_id: int, window: str, actor: Actor, now: datetime) -> str:
    """Compose a notice from its plan's rows, under its own number when it has one."""
    notice = Notice.objects.select_for_update().select_related("run__policy").get(pk=notice_id)
    waiting = {Notice.State.HELD, Notice.State.UNDELIVERABLE}
    if notice.state not in waiting:
        return ""  # another job was quicker
    rows = notice_table(notice.run.path, notice.organization_id, notice.decision)
    policy = policy_value(notice.run.policy)
    chunk = Chunk(rows, notice.organization_id, last=True)
    built = build_notices(chunk, policy, notice.run.sealed_at, house(now))
    prepared = prepare_notices(built, now)
    pairs = [(group, notice) for group in prepared.told.groups]
    send_notices(prepared, pairs, window, actor=actor, now=now)
    notice.save()
    record_entry(
        actor=actor,
        now=now,
        action="detection.compose_notices",
        subject=f"notice:{notice.pk}",
        details={"number": notice.number, "state": notice.state},
    )
    return str(notice.state)
