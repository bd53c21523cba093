"""Changes to what belongs to an organization."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from muhafiz.common.actor import Actor
from muhafiz.constituency.actions.trail import (
    hold_constituency,
    leave_trail,
    renew_matching,
    standing_organization,
)
from muhafiz.constituency.models import Claim
from muhafiz.constituency.rules import (
    AlreadyClaimed,
    NoSuchRecord,
    canonical_claim,
    check_name,
    check_period,
    overlap,
)


@transaction.atomic
def add_claim(
    *,
    organization_id: int,
    kind: str,
    value: str,
    valid_from: date | None = None,
    valid_to: date | None = None,
    source: str = "manual",
    note: str = "",
    actor: Actor,
    now: datetime,
) -> int:
    """Enter by hand that a network, domain or ASN is an organization's; returns the claim's id.

    Another organization may claim the same: the rules in docs/constituency.md decide, and the
    list of conflicts shows it.

    `kind` is address, domain or asn; `value` like "203.0.113.0/24", "2001:db8::/32",
    "example.org", "AS64500". It holds from the UTC day `valid_from` (None: since ever) up to, but
    not on, `valid_to` (None: until further notice).

    Raises:
        BadClaim, BadPeriod, NoSuchOrganization.
        AlreadyClaimed: by the same organization, by hand, for an overlapping time.
    """
    hold_constituency()
    text = canonical_claim(kind, value)
    check_period(valid_from, valid_to)
    owner = standing_organization(organization_id)
    _check_new(owner.pk, kind, text, (valid_from, valid_to))
    row = Claim.objects.create(
        organization=owner, kind=kind, text=text, valid_from=valid_from, valid_to=valid_to,
        origin="manual", source=check_name(source, 64), note=note[:255], created_at=now,
    )  # fmt: skip
    renew_matching()
    leave_trail(
        [owner.pk], "add_claim", f"claim:{row.pk}",
        {"text": text, "from": _iso(valid_from), "to": _iso(valid_to)}, actor=actor, now=now,
    )  # fmt: skip
    return row.pk


def _check_new(
    owner: int, kind: str, text: str, period: tuple[date | None, date | None], but: int = 0
) -> None:
    same = Claim.objects.filter(
        organization_id=owner, kind=kind, text=text, origin="manual", withdrawn_at__isnull=True
    ).exclude(pk=but)
    if any(overlap(period, (row.valid_from, row.valid_to)) for row in same):
        raise AlreadyClaimed(value=text)


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


@transaction.atomic
def date_claim(
    *,
    claim_id: int,
    valid_from: date | None,
    valid_to: date | None,
    actor: Actor,
    now: datetime,
) -> None:
    """Correct the days between which a claim holds; giving `valid_to` ends it.

    Raises:
        BadPeriod, NoSuchRecord, AlreadyClaimed.
    """
    hold_constituency()
    row = _standing_claim(claim_id)
    check_period(valid_from, valid_to)
    if row.origin == "manual":
        period = (valid_from, valid_to)
        _check_new(row.organization_id, row.kind, row.text, period, but=row.pk)
    before = [_iso(row.valid_from), _iso(row.valid_to)]
    Claim.objects.filter(pk=row.pk).update(valid_from=valid_from, valid_to=valid_to)
    renew_matching()
    leave_trail(
        [row.organization_id], "date_claim", f"claim:{row.pk}",
        {"text": row.text, "before": [*before], "after": [_iso(valid_from), _iso(valid_to)]},
        actor=actor, now=now,
    )  # fmt: skip


@transaction.atomic
def withdraw_claim(*, claim_id: int, reason: str, actor: Actor, now: datetime) -> None:
    """Take back a claim entered by mistake: it never held, on no day.

    Raises:
        NoSuchRecord, BadName (no reason given).
    """
    hold_constituency()
    row = _standing_claim(claim_id)
    details = {"text": row.text, "reason": check_name(reason, 500)}
    Claim.objects.filter(pk=row.pk).update(withdrawn_at=now)
    renew_matching()
    leave_trail(
        [row.organization_id], "withdraw_claim", f"claim:{row.pk}", details, actor=actor, now=now
    )


def _standing_claim(identifier: int) -> Claim:
    row = Claim.objects.filter(pk=identifier, withdrawn_at__isnull=True).first()
    if row is None:
        raise NoSuchRecord(what="claim", identifier=identifier)
    return row
