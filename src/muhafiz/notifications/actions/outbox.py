"""Put messages into the outbox, in the caller's own transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from muhafiz.common.actor import Actor
from muhafiz.notifications.messages import MessageDraft, Order
from muhafiz.release.proof import Released


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
    """Enqueue one message; a second one with the same key returns the first one's id."""
    order = Order(released, draft, policy, recipient, window)
    return enqueue_messages([order], actor=actor, now=now)[0]


def enqueue_messages(orders: Sequence[Order], *, actor: Actor, now: datetime) -> list[UUID]:
    """Enqueue many; the ids stand in the order of `orders`."""
    raise NotImplementedError
