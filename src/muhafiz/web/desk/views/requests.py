"""What constituents ask the CERT to decide: networks, and findings that are not theirs."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from muhafiz.common.refusal import Refusal
from muhafiz.constituency import holdings
from muhafiz.constituency import queries as constituency
from muhafiz.constituency.actions.requests import approve_request, refuse_request
from muhafiz.constituency.facts import RequestFacts
from muhafiz.detection import queries as detection
from muhafiz.detection.actions.findings import judge_not_ours
from muhafiz.detection.facts import FindingFacts, ResponseFacts
from muhafiz.web.asking import Asked
from muhafiz.web.desk.decision_letters import tell_not_ours, tell_request
from muhafiz.web.parts import pages, tabs
from muhafiz.web.plain_words import plain
from muhafiz.web.refusals import sentence
from muhafiz.web.viewer import ViewedRequest

STATES = ("waiting", "approved", "refused", "withdrawn")
_PAGE = 50
_ASSETS = 100


def requests(request: ViewedRequest) -> HttpResponse:
    """Both kinds of questions that wait, the oldest networks last; decided ones by tab."""
    asked = Asked(request.GET)
    state = asked.choice("state", STATES, "waiting")
    found = holdings.requests(
        viewer=request.viewer, state=state, before=asked.whole("before"), limit=_PAGE + 1
    )
    denied = (
        detection.findings(viewer=request.viewer, review="waiting", limit=200)
        if state == "waiting"
        else []
    )
    named = {*(each.organization_id for each in found), *(e.organization_id for e in denied)}
    owners = constituency.organizations(named)
    words = {
        "waiting": _("Waiting"),
        "approved": _("Approved"),
        "refused": _("Refused"),
        "withdrawn": _("Withdrawn"),
    }
    context = {
        "rows": [(each, owners.get(each.organization_id)) for each in found[:_PAGE]],
        "denied": [(e, _plain(e), owners.get(e.organization_id)) for e in denied],
        "tabs": tabs(
            request.GET, "state", [(code, words[code], None) for code in STATES], here=state
        ),
        "pages": pages(request.GET, older=found[_PAGE - 1].id if len(found) > _PAGE else None),
        "state": state,
        "asked": asked,
        "here": "requests",
    }
    return render(request, "desk/requests/list.html", context, status=asked.status)


def _plain(found: FindingFacts) -> str:
    return plain(found.type, found.identifier, get_language() or "en").name


def claim_request(request: ViewedRequest, request_id: int) -> HttpResponse:
    """One request for a network, with everybody who claims something of it."""
    return _request_page(request, _request(request, request_id), {}, "")


def _request(request: ViewedRequest, request_id: int) -> RequestFacts:
    found = holdings.request(request_id, viewer=request.viewer)
    if found is None:
        raise Http404
    return found


def _request_page(
    request: ViewedRequest, found: RequestFacts, errors: dict[str, str], reason: str
) -> HttpResponse:
    clashing = holdings.clashing_claims(found, at=request.now)
    owners = constituency.organizations(
        (found.organization_id, *(each.organization_id for each in clashing))
    )
    context = {
        "asked_for": found,
        "owner": owners.get(found.organization_id),
        "clashing": [(each, owners.get(each.organization_id)) for each in clashing],
        "errors": errors,
        "reason": reason,
        "here": "request",
    }
    return render(request, "desk/requests/page.html", context, status=409 if errors else 200)


def request_decide(request: ViewedRequest, request_id: int) -> HttpResponse:
    """Approve or refuse."""
    found = _request(request, request_id)
    reason = request.POST.get("reason", "")
    approved = request.POST.get("decision") == "approve"
    decide = approve_request if approved else refuse_request
    actor, now = request.viewer, request.now
    try:
        with transaction.atomic():  # decided and told, or neither
            decide(request_id=request_id, reason=reason, actor=actor, now=now)
            tell_request(found, approved=approved, reason=reason, actor=actor, now=now)
    except Refusal as refusal:
        return _request_page(request, found, {"reason": sentence(refusal)}, reason)
    messages.success(request, _("Decided. Who asked is told by letter and in the portal."))
    return redirect("requests")


def not_ours(request: ViewedRequest, finding_id: int) -> HttpResponse:
    """A finding that its owner says is somebody else's."""
    return _denied_page(request, _denied(request, finding_id), {}, "")


def _denied(request: ViewedRequest, finding_id: int) -> FindingFacts:
    found = detection.finding(finding_id, viewer=request.viewer)
    if found is None:
        raise Http404
    return found


def _denied_page(
    request: ViewedRequest, found: FindingFacts, errors: dict[str, str], reason: str
) -> HttpResponse:
    assets = detection.finding_assets(
        found.id, viewer=request.viewer, now=request.now, limit=_ASSETS
    )
    claims = constituency.claims({each.network_id for each in assets if each.network_id})
    context = {
        "finding": found,
        "name": _plain(found),
        "owner": constituency.organization(found.organization_id),
        "assets": assets,
        "claims": [c for c in claims.values() if c.organization_id == found.organization_id],
        "said": _said(found, request),
        "errors": errors,
        "reason": reason,
        "here": "not-ours",
    }
    return render(request, "desk/requests/not_ours.html", context, status=409 if errors else 200)


def _said(found: FindingFacts, request: ViewedRequest) -> ResponseFacts | None:
    """The owner's latest “not ours”."""
    history = detection.finding_history(found.id, viewer=request.viewer)
    return next((each for each in history if each.kind == "not_ours"), None)


def not_ours_judge(request: ViewedRequest, finding_id: int) -> HttpResponse:
    """Agree, ending the chosen claims; or say no."""
    found = _denied(request, finding_id)
    reason = request.POST.get("reason", "")
    chosen = [int(each) for each in request.POST.getlist("claim") if each.isdecimal()]
    accepted = request.POST.get("decision") == "accept"
    actor, now = request.viewer, request.now
    said = _said(found, request)
    try:
        with transaction.atomic():  # decided and told, or neither
            judge_not_ours(
                finding_id=finding_id,
                accepted=accepted,
                reason=reason,
                end_claims=chosen,
                actor=actor,
                now=now,
            )
            if said is not None:
                tell_not_ours(found, said, accepted=accepted, reason=reason, actor=actor, now=now)
    except Refusal as refusal:
        return _denied_page(request, found, {"reason": sentence(refusal)}, reason)
    messages.success(request, _("Decided. Who asked is told by letter and in the portal."))
    return redirect("requests")
