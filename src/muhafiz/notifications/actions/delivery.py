"""Empty the outbox: at most one automatic hand-over per message, whatever breaks (invariant 3).

For each message, in this order:

1. see that the channel is open (no message is touched yet);
2. in one transaction: note the outcome of the message before, claim the next one and mark it
   `sending`; commit;
3. hand the bytes to the channel, outside any transaction, however slow the peer;
4. with step 2 of the next message, or at the end: note the outcome.

A crash between 2 and 4 leaves the message `sending`; `actions.leftovers` makes it `unsure`, which
a person resolves. It is never sent again by itself.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

import zstandard
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet

from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.common.identifiers import new_id
from muhafiz.keyring.queries import unseal
from muhafiz.keyring.rules import BadSeal
from muhafiz.notifications.actions.addresses import retire_address
from muhafiz.notifications.channels import (
    Channel,
    ChannelUnavailable,
    Envelope,
    Outcome,
    Session,
    chosen_channel,
)
from muhafiz.notifications.composing import digest, private_context, unpacked
from muhafiz.notifications.models import ChannelRest, Message, MessageBytes
from muhafiz.notifications.queries import is_retired
from muhafiz.notifications.rules import (
    LONGEST_WAIT,
    address_is_dead,
    channel_rest,
    is_rest_over,
    next_attempt,
    status_in,
)
from muhafiz.release.queries import is_recalled

_LOG = logging.getLogger(__name__)
_REPORT_EVERY: Final = 50

#: Told (messages done so far); may raise to stop, which then leaves nothing half done.
Progress = Callable[[int], None]


@dataclass(slots=True)
class Delivery:
    """What one run did: messages by the state they came to; why it ended early, if it did."""

    counts: Counter[str] = field(default_factory=Counter)
    stopped: str = ""

    @property
    def done(self) -> int:
        """Messages handled."""
        return self.counts.total()


@dataclass(frozen=True, slots=True)
class _Claimed:
    """A message marked `sending`, whose hand-over this process alone may make."""

    pk: UUID
    claim: UUID
    attempts: int
    envelope: Envelope
    content: bytes | None


@dataclass(frozen=True, slots=True)
class _Told:
    """What the audit log is told about one message."""

    pk: UUID
    state: str
    words: str
    attempts: int


@dataclass(frozen=True, slots=True)
class _Run:
    channel: Channel
    actor: Actor
    clock: Callable[[], datetime]
    delivery: Delivery


def deliver_due(
    *,
    actor: Actor,
    clock: Callable[[], datetime],
    progress: Progress | None = None,
    limit: int | None = None,
) -> Delivery:
    """Hand over every message that is due, until none is, `limit` is reached or the channel fails.

    Many may run at once, in threads, processes and on several machines.
    """
    delivery = Delivery()
    channel = chosen_channel()
    if channel is None:
        delivery.stopped = "no channel is configured"
        return delivery
    rest = ChannelRest.objects.filter(channel=channel.name).first()
    if rest is not None and not is_rest_over(rest.until, clock()):
        delivery.stopped = rest.reason
        return delivery
    if not _due(clock()).exists():
        return delivery
    run = _Run(channel, actor, clock, delivery)
    try:
        session = channel.session()
    except ChannelUnavailable as unavailable:
        _rest_channel(run, unavailable)
        return delivery
    try:
        _deliver(run, session, progress, limit)
    finally:
        session.close()
    return delivery


def _deliver(run: _Run, session: Session, progress: Progress | None, limit: int | None) -> None:
    pending: tuple[_Claimed, Outcome] | None = None
    while True:
        try:
            session.ready()
        except ChannelUnavailable as unavailable:
            _note(run, pending)
            _rest_channel(run, unavailable)
            return
        if progress is not None and run.delivery.done % _REPORT_EVERY == _REPORT_EVERY - 1:
            _note(run, pending)
            pending = None
            progress(run.delivery.done)
        full = limit is not None and run.delivery.done + (pending is not None) >= limit
        claimed = _note(run, pending, claim_next=not full)
        pending = None
        if claimed is None:
            return
        try:
            pending = (claimed, _handed_over(session, claimed))
        except ChannelUnavailable as unavailable:
            _put_back(run, claimed, unavailable)
            return


def _handed_over(session: Session, claimed: _Claimed) -> Outcome:
    if claimed.content is None:
        return Outcome("permanent", "the stored bytes are damaged")
    return session.hand_over(claimed.envelope, claimed.content)


@transaction.atomic(durable=True)
def _note(
    run: _Run, pending: tuple[_Claimed, Outcome] | None, *, claim_next: bool = False
) -> _Claimed | None:
    """Note the outcome of the last hand-over and claim the next message, in one commit."""
    now = run.clock()
    claimed = _claimed(run, now) if claim_next else None
    if pending is not None:
        _note_outcome(run, *pending, now)
    return claimed


def _due(now: datetime) -> QuerySet[Message]:
    """Queued messages whose time has come, or lies so far ahead that the clock was set back."""
    return Message.objects.filter(state="queued").filter(
        Q(next_attempt_at__lte=now) | Q(next_attempt_at__gt=now + 2 * LONGEST_WAIT)
    )


def _claimed(run: _Run, now: datetime) -> _Claimed | None:
    while True:
        due = _due(now)
        if connection.features.has_select_for_update_skip_locked:
            due = due.select_for_update(skip_locked=True)
        message = due.order_by("next_attempt_at", "pk").first()
        if message is None:
            return None
        if not _stopped_at_the_door(run, message, now):
            return _marked_sending(run, message, now)


def _stopped_at_the_door(run: _Run, message: Message, now: datetime) -> bool:
    """Whether the release was called back, or the address retired, since it was enqueued."""
    if is_recalled(message.ledger_id):
        state, reason = "cancelled", "what it tells was recalled"
    elif is_retired(message.address):
        state, reason = "held", "the address takes no more mail"
    else:
        return False
    Message.objects.filter(pk=message.pk).update(
        state=state, reason=reason, next_attempt_at=None, finished_at=now
    )
    run.delivery.counts[state] += 1
    _record(run, _Told(message.pk, state, reason, message.attempts), now)
    return True


def _marked_sending(run: _Run, message: Message, now: datetime) -> _Claimed:
    claim = new_id()
    Message.objects.filter(pk=message.pk, state="queued").update(
        state="sending",
        claim=claim,
        handed_at=now,
        attempts=F("attempts") + 1,
        channel=run.channel.name,
    )
    return _Claimed(
        pk=message.pk,
        claim=claim,
        attempts=message.attempts + 1,
        envelope=Envelope(message.sender, message.address, message.message_id),
        content=_content(message),
    )


def _content(message: Message) -> bytes | None:
    """The stored bytes, if they are still what was composed."""
    stored = MessageBytes.objects.filter(message_id=message.pk, sealed=False).first()
    try:
        packed = bytes(stored.compressed) if stored else b""
        if message.private:
            packed = unseal(packed, context=private_context(message.pk))
        content = unpacked(packed) if packed else b""
    except (zstandard.ZstdError, BadSeal):
        return None
    return content if digest(content) == message.sha256 else None


def _note_outcome(run: _Run, claimed: _Claimed, outcome: Outcome, now: datetime) -> None:
    states = {"sent": "sent", "permanent": "failed", "unsure": "unsure", "temporary": "queued"}
    state, again, words = states[outcome.kind], None, outcome.words
    if outcome.kind == "temporary":
        again = next_attempt(claimed.attempts, now)
        if again is None:
            state, words = "failed", f"given up after {claimed.attempts} attempts: {words}"
    noted = Message.objects.filter(
        pk=claimed.pk, claim=claimed.claim, state__in=("sending", "unsure")
    ).update(
        state=state,
        reason=words,
        next_attempt_at=again,
        finished_at=None if state == "queued" else now,
    )
    run.delivery.counts[state] += 1
    if not noted:
        _LOG.warning("message %s was resolved by a person before its answer came", claimed.pk)
        return
    if state == "sent":
        ChannelRest.objects.filter(channel=run.channel.name, failures__gt=0).update(
            failures=0, until=None, reason=""
        )
        MessageBytes.objects.filter(message_id=claimed.pk, message__private=True).delete()
    _record(run, _Told(claimed.pk, state, words, claimed.attempts), now)
    if outcome.kind == "permanent" and outcome.recipient_refused:
        _retire_if_dead(run, claimed, words, now)


def _retire_if_dead(run: _Run, claimed: _Claimed, words: str, now: datetime) -> None:
    if address_is_dead(status_in(words), words):
        retire_address(
            address=claimed.envelope.recipient,
            reason="the mail server says that there is no such recipient",
            evidence=words,
            message_id=claimed.envelope.message_id,
            actor=run.actor,
            now=now,
        )


@transaction.atomic(durable=True)
def _put_back(run: _Run, claimed: _Claimed, unavailable: ChannelUnavailable) -> None:
    """The channel failed before the message was offered: the attempt does not count."""
    now = run.clock()
    Message.objects.filter(
        pk=claimed.pk, claim=claimed.claim, state__in=("sending", "unsure")
    ).update(
        state="queued",
        reason=str(unavailable),
        attempts=F("attempts") - 1,
        next_attempt_at=now,
        claim=None,
    )
    _rest_channel(run, unavailable)


@transaction.atomic
def _rest_channel(run: _Run, unavailable: ChannelUnavailable) -> None:
    now = run.clock()
    run.delivery.stopped = str(unavailable)
    rest, _ = ChannelRest.objects.select_for_update().get_or_create(channel=run.channel.name)
    rest.failures += 1
    rest.until = now + channel_rest(rest.failures)
    rest.reason = str(unavailable)
    rest.save()
    _LOG.warning("channel %s rests until %s: %s", run.channel.name, rest.until, unavailable)


def _record(run: _Run, told: _Told, now: datetime) -> None:
    record_entry(
        actor=run.actor,
        now=now,
        action="notifications.send_message",
        subject=f"message:{told.pk}",
        details={
            "state": told.state,
            "channel": run.channel.name,
            "attempts": told.attempts,
            "words": told.words,
        },
    )
