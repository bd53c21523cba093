"""Addresses that take no more mail, and those taken back."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.notifications.models import RetiredAddress
from muhafiz.notifications.rules import CannotRestoreAddress, address_key


@transaction.atomic
def retire_address(
    *,
    address: str,
    reason: str,
    evidence: str = "",
    message_id: str = "",
    actor: Actor,
    now: datetime,
) -> bool:
    """Write no more to this address; False when it was retired already."""
    key = address_key(address)
    _, made = RetiredAddress.objects.get_or_create(
        address=key,
        restored_at=None,
        defaults={
            "reason": reason,
            "evidence": evidence[:2_000],
            "message_id": message_id[:320],
            "retired_at": now,
            "retired_by": str(actor)[:200],
        },
    )
    if made:
        record_entry(
            actor=actor,
            now=now,
            action="notifications.retire_address",
            subject=f"address:{key}",
            details={"reason": reason, "evidence": evidence[:500], "message_id": message_id},
        )
    return made


@transaction.atomic
def restore_address(*, address: str, reason: str, actor: Actor, now: datetime) -> None:
    """Write to a retired address again.

    Raises:
        CannotRestoreAddress: it is not retired, or no reason was given.
    """
    key = address_key(address)
    if not reason.strip():
        raise CannotRestoreAddress(address=key, reason="it needs a reason")
    restored = RetiredAddress.objects.filter(address=key, restored_at=None).update(
        restored_at=now, restored_by=str(actor)[:200], restore_reason=reason
    )
    if not restored:
        raise CannotRestoreAddress(address=key, reason="it is not retired")
    record_entry(
        actor=actor,
        now=now,
        action="notifications.restore_address",
        subject=f"address:{key}",
        details={"reason": reason},
    )
