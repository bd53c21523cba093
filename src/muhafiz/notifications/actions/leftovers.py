"""List what a crash left between handing a message over and noting the answer."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.notifications.models import Message
from muhafiz.notifications.rules import HAND_OVER_LEASE, was_left


@transaction.atomic
def list_left_messages(*, actor: Actor, now: datetime) -> int:
    """Make `unsure` what a crash left `sending`; how many there were.

    A sender that is merely slow still notes its true answer later, unless a person was faster.
    """
    stale = Message.objects.filter(state="sending").filter(
        Q(handed_at__lt=now - HAND_OVER_LEASE) | Q(handed_at__gt=now)
    )
    left = [row for row in stale if row.handed_at is not None and was_left(row.handed_at, now)]
    for message in left:
        reason = (
            f"handed over at {message.handed_at:%Y-%m-%d %H:%M:%S} UTC; whether the peer took it "
            "was never noted"
        )
        Message.objects.filter(pk=message.pk, state="sending", claim=message.claim).update(
            state="unsure", reason=reason
        )
    if left:
        record_entry(
            actor=actor,
            now=now,
            action="notifications.list_left_messages",
            subject=f"messages:{len(left)}",
            details={"messages": [str(message.pk) for message in left]},
        )
    return len(left)
