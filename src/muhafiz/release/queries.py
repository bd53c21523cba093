"""Who has this fact?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from muhafiz.release.models import LedgerEntry


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One decision of the gate; `refusal` is empty when the thing was let out."""

    id: int
    item_kind: str
    item_identifier: str
    item_title: str
    item_digest: str
    tlp: str
    audience_kind: str
    audience_identifier: str
    audience_name: str
    decided_at: datetime
    decided_by: str
    refusal: str
    refusal_text: str
    recalled_at: datetime | None
    recall_reason: str


def holders_of(item_kind: str, identifier: str) -> list[LedgerRow]:
    """Everyone whom the gate gave this thing to, the earliest first, recalled or not."""
    return _rows(
        LedgerEntry.objects.filter(item_kind=item_kind, item_identifier=identifier, refusal="")
    )


def holders_of_digest(digest: str) -> list[LedgerRow]:
    """Everyone who was given these very facts, under whatever name they went."""
    return _rows(LedgerEntry.objects.filter(item_digest=digest, refusal=""))


def holdings_of(audience_kind: str, identifier: str, *, limit: int = 1000) -> list[LedgerRow]:
    """What this audience was given, the earliest first."""
    held = LedgerEntry.objects.filter(
        audience_kind=audience_kind, audience_identifier=identifier, refusal=""
    )
    return [_row(row) for row in held.order_by("decided_at", "id")[:limit]]


def decision(ledger_id: int) -> LedgerRow | None:
    """One decision of the gate; None when there is none."""
    row = LedgerEntry.objects.filter(pk=ledger_id).first()
    return _row(row) if row else None


def decisions(
    text: str = "",
    *,
    refused: bool | None = None,
    recalled: bool = False,
    before: int | None = None,
    limit: int = 50,
) -> list[LedgerRow]:
    """What the gate decided, the latest first; `before` pages by id.

    `text` is a digest or an identifier, or part of a title or of who was to be given it.
    """
    found = LedgerEntry.objects.order_by("-pk")
    if refused is not None:
        found = found.exclude(refusal="") if refused else found.filter(refusal="")
    if recalled:
        found = found.filter(recalled_at__isnull=False)
    if before is not None:
        found = found.filter(pk__lt=before)
    if text:
        found = found.filter(
            Q(item_digest=text.lower())
            | Q(item_identifier=text)
            | Q(item_title__icontains=text)
            | Q(audience_name__icontains=text)
        )
    return [_row(row) for row in found[:limit]]


def refusals(*, since: datetime, limit: int = 200) -> list[LedgerRow]:
    """What the gate refused since then, the latest first."""
    refused = LedgerEntry.objects.filter(decided_at__gte=since).exclude(refusal="")
    return [_row(row) for row in refused.order_by("-decided_at", "-id")[:limit]]


def is_recalled(ledger_id: int) -> bool:
    """Whether this release was called back, or never stood."""
    return not LedgerEntry.objects.filter(
        pk=ledger_id, refusal="", recalled_at__isnull=True
    ).exists()


def recalled_among(ledger_ids: Iterable[int]) -> frozenset[int]:
    """Those of `ledger_ids` that were called back."""
    ordered = sorted(set(ledger_ids))
    recalled: set[int] = set()
    for start in range(0, len(ordered), 500):
        part = LedgerEntry.objects.filter(pk__in=ordered[start : start + 500])
        recalled.update(part.exclude(recalled_at=None).values_list("pk", flat=True))
    return frozenset(recalled)


def _rows(found: QuerySet[LedgerEntry]) -> list[LedgerRow]:
    return [_row(row) for row in found.order_by("decided_at", "id")]


def _row(row: LedgerEntry) -> LedgerRow:
    return LedgerRow(
        id=row.pk,
        item_kind=row.item_kind,
        item_identifier=row.item_identifier,
        item_title=row.item_title,
        item_digest=row.item_digest,
        tlp=row.tlp,
        audience_kind=row.audience_kind,
        audience_identifier=row.audience_identifier,
        audience_name=row.audience_name,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
        refusal=row.refusal,
        refusal_text=row.refusal_text,
        recalled_at=row.recalled_at,
        recall_reason=row.recall_reason,
    )
