"""Learn from mail that came back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.formats.bounces import Bounce, FailedRecipient, parse_bounce
from muhafiz.notifications.actions.addresses import retire_address
from muhafiz.notifications.models import Message
from muhafiz.notifications.rules import address_is_dead, address_key


@dataclass(frozen=True, slots=True)
class BounceTaken:
    """What a returned mail taught.

    `recognized`: it reports a failure at all. `message`: ours that it is about; None when it names
    none, and then nothing is believed. `retired`: addresses that take no more mail from now on.
    """

    recognized: bool
    message: UUID | None
    retired: tuple[str, ...] = ()


@transaction.atomic
def take_bounce(*, raw: bytes, actor: Actor, now: datetime) -> BounceTaken:
    """Read a returned mail; mark the message failed and retire the address if it is dead.

    Anybody can forge such a mail. It is believed only when it names the Message-ID (random, known
    to the recipient's side alone) of a message of ours to that very address. Taking the same mail
    twice changes nothing.
    """
    bounce = parse_bounce(raw)
    if bounce is None:
        return BounceTaken(recognized=False, message=None)
    message = _ours(bounce)
    if message is None:
        return BounceTaken(recognized=True, message=None)
    failure = next(
        (
            one
            for one in bounce.failures
            if address_key(one.address) == address_key(message.address)
        ),
        None,
    )
    if failure is None:
        return BounceTaken(recognized=True, message=None)
    _mark_failed(message, failure, actor, now)
    retired: tuple[str, ...] = ()
    if failure.permanent and address_is_dead(failure.status, failure.diagnostic):
        retire_address(
            address=message.address,
            reason="mail came back: there is no such recipient",
            evidence=f"{failure.status} {failure.diagnostic}".strip(),
            message_id=message.message_id,
            actor=actor,
            now=now,
        )
        retired = (address_key(message.address),)
    return BounceTaken(recognized=True, message=message.pk, retired=retired)


def _ours(bounce: Bounce) -> Message | None:
    if not bounce.message_id:
        return None
    return (
        Message.objects.select_for_update()
        .filter(message_id=bounce.message_id, state__in=("sent", "unsure", "sending", "failed"))
        .first()
    )


def _mark_failed(message: Message, failure: FailedRecipient, actor: Actor, now: datetime) -> None:
    if message.state == "failed":
        return
    words = f"{failure.status} {failure.diagnostic}".strip()
    message.state = "failed"
    message.reason = f"came back: {words}"
    message.claim = None
    message.finished_at = now
    message.save()
    record_entry(
        actor=actor,
        now=now,
        action="notifications.take_bounce",
        subject=f"message:{message.pk}",
        details={"words": words, "permanent": failure.permanent},
    )
