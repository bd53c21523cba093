"""What constituents ask about their networks, and what the CERT decides."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from muhafiz.accounts.rules import check_may
from muhafiz.common.actor import Actor
from muhafiz.constituency.actions.claims import add_claim, date_claim
from muhafiz.constituency.actions.trail import leave_trail, standing_organization
from muhafiz.constituency.models import Claim, ClaimRequest
from muhafiz.constituency.request_rules import (
    CannotDecide,
    CannotRequest,
    check_breadth,
    check_wanted,
    checked_note,
    checked_reason,
)
from muhafiz.constituency.rules import AlreadyClaimed, NoSuchRecord, canonical_claim, holds
from muhafiz.constituency.visible import check_own

ASK = "holdings.ask"
DECIDE = "holdings.decide"


@transaction.atomic
def request_claim(
    *,
    organization_id: int,
    wanted: str,
    kind: str,
    value: str,
    note: str = "",
    actor: Actor,
    now: datetime,
) -> int:
    """Ask that a network, domain or ASN be entered as the organization's (or be ended).

    Nothing changes until the CERT approves it. Whether others claim the same is not told.

    Raises:
        NotAllowed, NoSuchOrganization: the actor may not ask for this organization.
        BadClaim: the value is none of its kind.
        CannotRequest: it is held already, is not held, or is asked already.
    """
    check_may(actor, ASK)
    check_own(actor, organization_id)
    check_wanted(wanted)
    owner = standing_organization(organization_id)
    text = canonical_claim(kind, value)
    check_breadth(kind, text)
    held = _held(organization_id, kind, text, now)
    if wanted == "add" and held is not None:
        raise CannotRequest(reason="it is entered as yours already")
    if wanted == "end" and held is None:
        raise CannotRequest(reason="it is not entered as yours")
    same = ClaimRequest.objects.filter(
        organization=owner, wanted=wanted, kind=kind, text=text, state="waiting"
    )
    if same.exists():
        raise CannotRequest(reason="it is asked for already and waits for the CERT")
    row = ClaimRequest.objects.create(
        organization=owner,
        wanted=wanted,
        kind=kind,
        text=text,
        claim=held if wanted == "end" else None,
        note=checked_note(note),
        asked_at=now,
        asked_by=actor.name[:128],
        asked_by_id=str(actor)[:200],
    )
    details = {"wanted": wanted, "kind": kind, "text": text, "note": row.note}
    leave_trail([owner.pk], "request_claim", f"request:{row.pk}", details, actor=actor, now=now)
    return row.pk


def _held(organization_id: int, kind: str, text: str, now: datetime) -> Claim | None:
    rows = Claim.objects.filter(
        organization_id=organization_id, kind=kind, text=text, withdrawn_at__isnull=True
    )
    return next((row for row in rows if holds(row.valid_from, row.valid_to, now.date())), None)


@transaction.atomic
def withdraw_request(*, request_id: int, actor: Actor, now: datetime) -> None:
    """Take back what was asked, before it is decided.

    Raises:
        NotAllowed, NoSuchRecord, CannotDecide.
    """
    check_may(actor, ASK)
    row = ClaimRequest.objects.select_for_update().filter(pk=request_id).first()
    if row is None:
        raise NoSuchRecord(what="request", identifier=request_id)
    check_own(actor, row.organization_id)
    _decide(row, "withdrawn", "", actor, now)


@transaction.atomic
def approve_request(*, request_id: int, reason: str = "", actor: Actor, now: datetime) -> None:
    """Enter what was asked for by hand, from today on; or end it from tomorrow on.

    Raises:
        NotAllowed, NoSuchRecord, CannotDecide.
    """
    row = _waiting(request_id, actor)
    told = checked_reason(reason, needed=False)
    if row.wanted == "add":
        _enter(row, actor, now)
    elif row.claim is not None and row.claim.withdrawn_at is None:
        date_claim(
            claim_id=row.claim.pk,
            valid_from=row.claim.valid_from,
            valid_to=max(now.date() + timedelta(days=1), row.claim.valid_from or now.date()),
            actor=actor,
            now=now,
        )
    _decide(row, "approved", told, actor, now)


def _enter(row: ClaimRequest, actor: Actor, now: datetime) -> None:
    try:
        add_claim(
            organization_id=row.organization_id,
            kind=row.kind,
            value=row.text,
            valid_from=now.date(),
            source="portal",
            note=row.note[:255],
            actor=actor,
            now=now,
        )
    except AlreadyClaimed:  # entered by hand since it was asked for
        return


@transaction.atomic
def refuse_request(*, request_id: int, reason: str, actor: Actor, now: datetime) -> None:
    """Say no, and why: the constituent reads it.

    Raises:
        NotAllowed, NoSuchRecord, CannotDecide.
    """
    row = _waiting(request_id, actor)
    _decide(row, "refused", checked_reason(reason, needed=True), actor, now)


def _waiting(request_id: int, actor: Actor) -> ClaimRequest:
    check_may(actor, DECIDE)
    rows = ClaimRequest.objects.select_for_update().filter(pk=request_id)
    row = rows.first()
    if row is None:
        raise NoSuchRecord(what="request", identifier=request_id)
    return row


def _decide(row: ClaimRequest, state: str, reason: str, actor: Actor, now: datetime) -> None:
    if row.state != "waiting":
        raise CannotDecide(reason="it is decided already")
    row.state, row.reason = state, reason
    row.decided_at, row.decided_by = now, actor.name[:128]
    row.save(update_fields=["state", "reason", "decided_at", "decided_by"])
    leave_trail(
        [row.organization_id],
        "decide_request",
        f"request:{row.pk}",
        {"state": state, "text": row.text, "reason": reason},
        actor=actor,
        now=now,
    )
