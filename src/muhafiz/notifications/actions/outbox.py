"""Put messages into the outbox, in the caller's own transaction (invariant 3)."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.common.identifiers import new_id
from muhafiz.common.rows import insert_rows
from muhafiz.formats.lines import one_line
from muhafiz.jobs.actions.queue import enqueue_job
from muhafiz.keyring.actions.seals import seal
from muhafiz.notifications.composing import compose, digest, packer, private_context
from muhafiz.notifications.messages import MessageDraft, Order
from muhafiz.notifications.models import Message, MessageBytes
from muhafiz.notifications.queries import retired_among
from muhafiz.notifications.rules import address_key
from muhafiz.notifications.sender import Sender, house_sender
from muhafiz.release.gate import check_released
from muhafiz.release.proof import Released

#: The job that empties the outbox.
DELIVER: Final = "notifications.deliver"

_CHUNK: Final = 1_000
_Key = tuple[str, str, str]


def enqueue_message(
    *,
    released: Released,
    draft: MessageDraft,
    policy: str,
    recipient: str,
    window: str,
    actor: Actor,
    now: datetime,
) -> UUID:
    """Enqueue one message; a second one with the same key returns the first one's id.

    Raises:
        NotReleased: the gate did not let this out, or took it back.
    """
    order = Order(released, draft, policy, recipient, window)
    return enqueue_messages([order], actor=actor, now=now)[0]


@transaction.atomic
def enqueue_messages(orders: Sequence[Order], *, actor: Actor, now: datetime) -> list[UUID]:
    """Enqueue many; the ids stand in the order of `orders`.

    1. Only what the gate let out, and has not called back, is taken.
    2. A key (policy, recipient, window) already in the outbox keeps its first message.
    3. The final bytes are built and stored: what is shown later is what is sent. A message that
       must not go as it is (unusable certificate or address) is held with the reason.
    4. One audit entry covers the call: how many, and a SHA-256 over every id and its bytes' digest.
    5. The delivery job is queued in the same transaction.

    Raises:
        NotReleased: as `enqueue_message`; nothing is enqueued.
    """
    check_released(order.released for order in orders)
    sender = house_sender(at=now)
    ids: list[UUID] = []
    made = held = 0
    covered = hashlib.sha256()
    for start in range(0, len(orders), _CHUNK):
        part = orders[start : start + _CHUNK]
        known = _known(_key(order) for order in part)
        fresh = {_key(order): order for order in reversed(part) if _key(order) not in known}
        stored = _stored(list(fresh.values()), sender, now)
        known |= _known(fresh)
        for message in stored:
            if known[(message.policy, message.recipient, message.window)] == message.pk:
                made += 1
                held += message.state == "held"
                covered.update(f"{message.pk} {message.sha256}\n".encode())
        ids += [known[_key(order)] for order in part]
    if made:
        enqueue_job(DELIVER, {}, actor=actor, now=now, unique_key=DELIVER)
        record_entry(
            actor=actor,
            now=now,
            action="notifications.enqueue_messages",
            subject=f"message:{ids[0]}" if len(ids) == 1 else f"messages:{made}",
            details={"enqueued": made, "held": held, "sha256": covered.hexdigest()},
        )
    return ids


def _key(order: Order) -> _Key:
    return (order.policy, order.recipient, order.window)


def _known(keys: Iterable[_Key]) -> dict[_Key, UUID]:
    """The ids of those keys that are in the outbox."""
    grouped: dict[tuple[str, str], set[str]] = defaultdict(set)
    for policy, recipient, window in keys:
        grouped[(policy, window)].add(recipient)
    known: dict[_Key, UUID] = {}
    for (policy, window), recipients in grouped.items():
        found = Message.objects.filter(policy=policy, window=window)
        for some in _portions(sorted(recipients), 500):
            for recipient, pk in found.filter(recipient__in=some).values_list("recipient", "pk"):
                known[(policy, recipient, window)] = pk
    return known


def _portions(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _stored(orders: Sequence[Order], sender: Sender, now: datetime) -> list[Message]:
    """Build and insert; a row that another process got in first is left out silently."""
    retired = retired_among(order.draft.recipient_address for order in orders)
    pack = packer()
    built = [_built(order, sender, retired, pack, now) for order in orders]
    insert_rows([one.message for one in built], ignore_conflicts=True)
    ours = set(
        Message.objects.filter(pk__in=[one.message.pk for one in built]).values_list(
            "pk", flat=True
        )
    )
    insert_rows([one.content for one in built if one.message.pk in ours])
    return [one.message for one in built if one.message.pk in ours]


@dataclass(frozen=True, slots=True)
class _Built:
    message: Message
    content: MessageBytes


def _built(
    order: Order,
    sender: Sender,
    retired: frozenset[str],
    pack: Callable[[bytes], bytes],
    now: datetime,
) -> _Built:
    draft, released, identifier = order.draft, order.released, new_id()
    message_id = f"<{identifier}@{sender.domain}>"
    composed = compose(
        draft,
        identifier=identifier,
        message_id=message_id,
        sender=sender,
        retired=address_key(draft.recipient_address) in retired,
        now=now,
    )
    message = Message(
        id=identifier,
        policy=order.policy,
        recipient=order.recipient,
        window=order.window,
        ledger_id=released.ledger_id,
        item=f"{released.item.kind}:{released.item.identifier}"[:250],
        tlp=released.tlp,
        address=one_line(composed.address, 320),
        recipient_name=one_line(draft.recipient_name, 300),
        language=one_line(draft.language, 35),
        subject=one_line(draft.subject),
        reference=one_line(draft.sender_reference, 100),
        state="held" if composed.reason else "queued",
        reason=composed.reason,
        encrypted=draft.certificate is not None,
        private=draft.private,
        size=0 if composed.reason else len(composed.content),
        sha256="" if composed.reason else digest(composed.content),
        message_id=message_id,
        sender=sender.address,
        created_at=now,
        next_attempt_at=None if composed.reason else now,
    )
    stored = composed.content if composed.reason else pack(composed.content)
    if draft.private and not composed.reason:
        stored = seal(stored, context=private_context(identifier))
    content = MessageBytes(
        message_id=identifier,
        compressed=stored,
        sealed=bool(composed.reason),
    )
    return _Built(message, content)
