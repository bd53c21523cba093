"""Call back what was let out."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.common.refusal import Refusal
from muhafiz.release.models import LedgerEntry
from muhafiz.release.queries import LedgerRow, holders_of


class CannotRecall(Refusal):
    """Nobody holds the thing, or no reason was given."""

    text = "{item} cannot be recalled: {reason}."


@transaction.atomic
def recall_item(
    *, item_kind: str, identifier: str, reason: str, actor: Actor, now: datetime
) -> list[LedgerRow]:
    """Mark every release of this thing as recalled; letters still queued are not sent any more.

    Returns everyone who holds it and must be told, those of an earlier recall left out.

    Raises:
        CannotRecall: no reason, or nobody holds it.
    """
    item = f"{item_kind} {identifier}"
    if not reason.strip():
        raise CannotRecall(item=item, reason="a recall needs a reason")
    held = [row for row in holders_of(item_kind, identifier) if row.recalled_at is None]
    if not held:
        raise CannotRecall(item=item, reason="nobody was given it, or it was recalled already")
    LedgerEntry.objects.filter(
        item_kind=item_kind, item_identifier=identifier, refusal="", recalled_at__isnull=True
    ).update(recalled_at=now, recalled_by=str(actor)[:200], recall_reason=reason)
    record_entry(
        actor=actor,
        now=now,
        action="release.recall_item",
        subject=f"{item_kind}:{identifier}",
        details={"holders": len(held), "reason": reason},
    )
    return [row for row in holders_of(item_kind, identifier) if row.id in {one.id for one in held}]
