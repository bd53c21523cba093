"""What staff change about what is an organization's: claims, handles, inhibitions."""

from __future__ import annotations

from datetime import datetime, time

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from muhafiz.constituency.actions.claims import add_claim, date_claim, withdraw_claim
from muhafiz.constituency.actions.inhibitions import inhibit_letters, lift_inhibition
from muhafiz.constituency.actions.organizations import add_handle
from muhafiz.constituency.holdings import inhibition_owner, own_claim
from muhafiz.web.desk.views.constituent_forms import day, done, number
from muhafiz.web.viewer import ViewedRequest


def claim_add(request: ViewedRequest, organization_id: int) -> HttpResponse:
    """Enter a network, domain or AS number as theirs."""
    given = request.POST

    def act() -> str:
        add_claim(
            organization_id=organization_id,
            kind=given.get("kind", ""),
            value=given.get("value", ""),
            valid_from=day(given.get("valid_from", "")),
            valid_to=day(given.get("valid_to", "")),
            note=given.get("note", ""),
            actor=request.viewer,
            now=request.now,
        )
        return _("The claim was entered.")

    return done(request, organization_id, "claim", act)


def claim_end(request: ViewedRequest, organization_id: int, claim_id: int) -> HttpResponse:
    """Let a claim end on a day, or take it back as a mistake."""
    given = request.POST
    claim = own_claim(claim_id, viewer=request.viewer)
    if claim is None or claim.organization_id != organization_id:
        raise Http404

    def act() -> str:
        if given.get("act") == "withdraw":
            withdraw_claim(
                claim_id=claim_id,
                reason=given.get("reason", ""),
                actor=request.viewer,
                now=request.now,
            )
            return _("The claim was taken back: it never held.")
        date_claim(
            claim_id=claim_id,
            valid_from=claim.valid_from,
            valid_to=day(given.get("valid_to", "")) or request.now.date(),
            actor=request.viewer,
            now=request.now,
        )
        return _("The claim ends on that day.")

    return done(request, organization_id, f"claim-{claim_id}", act)


def handle_add(request: ViewedRequest, organization_id: int) -> HttpResponse:
    """Say by which name a registry knows the organization."""
    given = request.POST

    def act() -> str:
        add_handle(
            organization_id=organization_id,
            source=given.get("source", ""),
            handle=given.get("handle", ""),
            actor=request.viewer,
            now=request.now,
        )
        return _("The next import from that registry finds the organization by it.")

    return done(request, organization_id, "handle", act)


def inhibit(request: ViewedRequest, organization_id: int) -> HttpResponse:
    """Hold back letters to them until a day, with the reason."""
    given = request.POST

    def act() -> str:
        until = day(given.get("until", "")) or request.now.date()
        inhibit_letters(
            organization_id=organization_id,
            claim_id=number(given.get("claim", "")),
            classes=given.get("classes", "") or "*",
            until=datetime.combine(until, time.min, tzinfo=timezone.get_current_timezone()),
            reason=given.get("reason", ""),
            actor=request.viewer,
            now=request.now,
        )
        return _("Letters are held back until that day.")

    return done(request, organization_id, "inhibit", act)


def inhibition_lift(
    request: ViewedRequest, organization_id: int, inhibition_id: int
) -> HttpResponse:
    """Let letters go out again."""
    if inhibition_owner(inhibition_id, viewer=request.viewer) != organization_id:
        raise Http404

    def act() -> str:
        lift_inhibition(inhibition_id=inhibition_id, actor=request.viewer, now=request.now)
        return _("Letters go out again.")

    return done(request, organization_id, "inhibit", act)
