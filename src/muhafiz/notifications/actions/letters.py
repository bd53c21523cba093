"""What a person decides about single messages."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal
from uuid import UUID

from django.db import transaction

from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.formats.mail import BadAddress, Head, plain_address
from muhafiz.jobs.actions.queue import enqueue_job
from muhafiz.keyring.actions.seals import seal
from muhafiz.notifications.actions.outbox import DELIVER
from muhafiz.notifications.composing import (
    Wrapping,
    digest,
    packed,
    private_context,
    wrap_held,
)
from muhafiz.notifications.models import Message, MessageBytes
from muhafiz.notifications.queries import is_retired
from muhafiz.notifications.rules import CannotChangeMessage
from muhafiz.notifications.sender import house_sender
from muhafiz.release.queries import is_recalled


@transaction.atomic
def resolve_unsure(
    *, message: UUID, outcome: Literal["sent", "send_again"], note: str, actor: Actor, now: datetime
) -> None:
    """Decide about a message that may or may not have been taken.

    "sent": it arrived. "send_again": it goes out once more, under the same Message-ID.

    Raises:
        CannotChangeMessage: it is not unsure, or no note tells how that is known.
    """
    if not note.strip():
        raise CannotChangeMessage(message=message, reason="a note must tell how that is known")
    row = _locked(message, ("unsure",))
    row.state = "sent" if outcome == "sent" else "queued"
    row.claim = None  # a late answer of the first hand-over changes nothing any more
    row.reason = note
    _settle(row, now)
    _finish(row, "notifications.resolve_unsure", {"outcome": outcome, "note": note}, actor, now)


@transaction.atomic
def cancel_message(*, message: UUID, reason: str, actor: Actor, now: datetime) -> None:
    """Do not send a message that is queued, held or unsure.

    Raises:
        CannotChangeMessage: it is in another state, or no reason was given.
    """
    if not reason.strip():
        raise CannotChangeMessage(message=message, reason="it needs a reason")
    row = _locked(message, ("queued", "held", "unsure"))
    row.state, row.reason, row.claim = "cancelled", reason, None
    _settle(row, now)
    _finish(row, "notifications.cancel_message", {"reason": reason}, actor, now)


def keep_waiting(messages: Iterable[UUID]) -> frozenset[UUID]:
    """Lock those that wait (queued or held) until the caller's transaction ends; which they are.

    No delivery takes them meanwhile; one that has just begun ends first, and is not among them.
    Call it before the first audit entry: a delivery locks its letter, then the audit log.
    """
    waiting = Message.objects.filter(pk__in=list(messages), state__in=("queued", "held"))
    locked = waiting.select_for_update().order_by("pk")
    return frozenset(locked.values_list("pk", flat=True))


@transaction.atomic
def retry_message(*, message: UUID, actor: Actor, now: datetime) -> None:
    """Send a failed message again, under the same Message-ID.

    Raises:
        CannotChangeMessage: it has not failed, its address is retired, or its release recalled.
    """
    row = _locked(message, ("failed",))
    _check_may_leave(row, row.address)
    row.state, row.reason, row.attempts = "queued", "", 0
    _settle(row, now)
    _finish(row, "notifications.retry_message", {}, actor, now)


@transaction.atomic
def mend_held(
    *,
    message: UUID,
    address: str | None = None,
    certificate: str | None = None,
    actor: Actor,
    now: datetime,
) -> None:
    """Send a held message after all: with another address, another certificate, or as it was.

    A message meant to be encrypted needs a usable certificate; it never goes in clear.

    Raises:
        CannotChangeMessage: it is not held, or what held it still does.
        BadCertificate, NoSigningCertificate: it cannot be encrypted and signed.
    """
    row = _locked(message, ("held",))
    try:
        wanted = plain_address(row.address if address is None else address)
    except BadAddress as bad:
        raise CannotChangeMessage(message=message, reason=str(bad)) from None
    _check_may_leave(row, wanted)
    if row.private and wanted != row.address:
        raise CannotChangeMessage(message=message, reason="it is for its recipient's eyes only")
    content = MessageBytes.objects.get(message_id=row.pk)
    row.address = wanted
    if content.sealed:
        _compose_held(row, content, certificate, now)
    row.state, row.reason, row.attempts = "queued", "", 0
    _settle(row, now)
    _finish(row, "notifications.mend_held", {"address": wanted}, actor, now)


def _compose_held(
    row: Message, content: MessageBytes, certificate: str | None, now: datetime
) -> None:
    sender = house_sender(at=now)
    if not sender.address:
        raise CannotChangeMessage(message=row.pk, reason="no sender address is set")
    if row.encrypted and certificate is None:
        raise CannotChangeMessage(message=row.pk, reason="it needs an OpenPGP certificate")
    head = Head(
        message_id=row.message_id,
        date=now,
        sender_name=sender.name(row.language),
        sender_address=sender.address,
        recipient_name=row.recipient_name,
        recipient_address=row.address,
        subject=row.subject,
        language=row.language,
        reference=row.reference,
    )
    wrapping = Wrapping(head, certificate)
    final = wrap_held(bytes(content.compressed), wrapping, identifier=row.pk, now=now)
    stored = packed(final)
    if row.private:
        stored = seal(stored, context=private_context(row.pk))
    content.compressed, content.sealed = stored, False
    content.save()
    row.sender, row.size, row.sha256 = sender.address, len(final), digest(final)
    row.encrypted = certificate is not None


def _check_may_leave(row: Message, address: str) -> None:
    if is_retired(address):
        raise CannotChangeMessage(message=row.pk, reason=f"{address} takes no more mail")
    if is_recalled(row.ledger_id):
        raise CannotChangeMessage(message=row.pk, reason="what it tells was recalled")


def _locked(message: UUID, states: tuple[str, ...]) -> Message:
    row = Message.objects.select_for_update().filter(pk=message).first()
    if row is None:
        raise CannotChangeMessage(message=message, reason="there is no such message")
    if row.state not in states:
        raise CannotChangeMessage(message=message, reason=f"it is {row.state}")
    return row


def _settle(row: Message, now: datetime) -> None:
    queued = row.state == "queued"
    row.next_attempt_at = now if queued else None
    row.finished_at = None if queued else now
    row.save()


def _finish(
    row: Message, action: str, details: dict[str, str], actor: Actor, now: datetime
) -> None:
    if row.state == "queued":
        enqueue_job(DELIVER, {}, actor=actor, now=now, unique_key=DELIVER)
    record_entry(
        actor=actor,
        now=now,
        action=action,
        subject=f"message:{row.pk}",
        details={**details, "state": row.state},
    )
