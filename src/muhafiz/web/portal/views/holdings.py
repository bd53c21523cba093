"""Networks and domains: what is entered as ours, and what we ask to be changed."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from muhafiz.common.refusal import Refusal
from muhafiz.constituency import holdings as queries
from muhafiz.constituency.actions.requests import request_claim, withdraw_request
from muhafiz.constituency.rules import KINDS
from muhafiz.web.asking import Asked
from muhafiz.web.portal.scope import Scope, scope_of
from muhafiz.web.portal.words import REQUEST_STATES
from muhafiz.web.refusals import sentence
from muhafiz.web.viewer import ViewedRequest

_REQUESTS = 50


def holdings(request: ViewedRequest) -> HttpResponse:
    """What we hold and what was asked; a link of a claim prepares the request to end it."""
    asked = Asked(request.GET)
    scope = scope_of(request, asked)
    typed = {"wanted": "add", "kind": "address"}
    ending = asked.whole("end")
    if ending is not None:
        claim = queries.own_claim(ending, viewer=request.viewer)
        if claim is None:
            raise Http404
        typed = {
            "wanted": "end", "kind": claim.kind, "value": claim.text,
            "organization": str(claim.organization_id),
        }  # fmt: skip
    return _page(request, scope, typed, {}, asked.status)


def _page(
    request: ViewedRequest,
    scope: Scope,
    typed: dict[str, str],
    errors: dict[str, str],
    status: int,
) -> HttpResponse:
    claims = queries.held_claims(viewer=request.viewer, at=request.now, organization_ids=scope.ids)
    asked = queries.requests(viewer=request.viewer, limit=_REQUESTS)
    groups = [(kind, [c for c in claims if c.kind == kind]) for kind in KINDS]
    context = {
        "scope": scope,
        "groups": [
            (kind, [(c, scope.parts.get(c.organization_id)) for c in found])
            for kind, found in groups
            if found
        ],
        "requests": [
            (each, REQUEST_STATES[each.state], scope.parts.get(each.organization_id))
            for each in asked
        ],
        "kinds": KINDS,
        "typed": typed,
        "errors": errors,
        "here": "portal-holdings",
    }
    return render(request, "portal/holdings.html", context, status=status)


def request_change(request: ViewedRequest) -> HttpResponse:
    """Ask for something to be entered as ours, or to be ended."""
    asked = Asked(request.POST)
    scope = scope_of(request)
    places = tuple(str(pk) for pk in scope.parts)
    owner = asked.choice("organization", places, str(scope.own.id))
    fields = {name: asked.text(name) for name in ("wanted", "kind", "value", "note")}
    typed = {**{n: request.POST.get(n, "") for n in fields}, "organization": owner}
    if not fields["value"]:
        asked.errors["value"] = _("Type what you ask for.")
    if asked.errors:
        return _page(request, scope, typed, asked.errors, 400)
    try:
        request_claim(
            organization_id=int(owner),
            wanted=fields["wanted"] or "add",
            kind=fields["kind"],
            value=fields["value"],
            note=fields["note"],
            actor=request.viewer,
            now=request.now,
        )
    except Refusal as refusal:
        return _page(request, scope, typed, {"value": sentence(refusal)}, 409)
    messages.success(request, _("Your request is under review. The answer will stand here."))
    return redirect("portal-holdings")


def request_withdraw(request: ViewedRequest, request_id: int) -> HttpResponse:
    """Take a request back."""
    if queries.request(request_id, viewer=request.viewer) is None:
        raise Http404
    withdraw_request(request_id=request_id, actor=request.viewer, now=request.now)
    messages.success(request, _("The request is withdrawn."))
    return redirect("portal-holdings")
