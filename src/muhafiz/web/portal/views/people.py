"""Our people: who of the organization may sign in here; for its administrator."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from muhafiz.accounts.actions.invitations import withdraw_invitation
from muhafiz.accounts.actions.people import readmit_person, suspend_person
from muhafiz.accounts.queries import PersonFacts, invitations
from muhafiz.accounts.queries import people as registered
from muhafiz.accounts.rules import matrix
from muhafiz.common.refusal import Refusal
from muhafiz.web.refusals import sentence
from muhafiz.web.signin.inviting import invite
from muhafiz.web.viewer import ViewedRequest

_FIELDS = ("email", "name", "role", "language")


def people(request: ViewedRequest) -> HttpResponse:
    """Who may sign in, who is invited, and the form to invite."""
    return _page(request, {"role": "constituent_officer"}, {})


def _page(
    request: ViewedRequest, typed: dict[str, str], errors: dict[str, str], status: int = 200
) -> HttpResponse:
    owner = request.viewer.organization_id
    context = {
        "people": registered(active=None, organization_id=owner),
        "invited": [
            each for each in invitations(organization_id=owner) if each.is_open(request.now)
        ],
        "roles": sorted(matrix().constituents, reverse=True),
        "typed": typed,
        "errors": errors,
        "here": "portal-people",
    }
    return render(request, "portal/people.html", context, status=status)


def person_invite(request: ViewedRequest) -> HttpResponse:
    """Send somebody of ours an invitation."""
    typed = {name: request.POST.get(name, "") for name in _FIELDS}
    role = typed["role"] if typed["role"] in matrix().constituents else "constituent_officer"
    try:
        invite(
            email=typed["email"],
            name=typed["name"],
            role=role,
            language=typed["language"] or "en",
            organization_id=request.viewer.organization_id,
            actor=request.viewer,
            now=request.now,
        )
    except Refusal as refusal:
        return _page(request, typed, {"email": sentence(refusal)}, 409)
    messages.success(request, _("The invitation is on its way."))
    return redirect("portal-people")


def invitation_withdraw(request: ViewedRequest, invitation_id: int) -> HttpResponse:
    """Take an invitation back."""
    open_ones = invitations(organization_id=request.viewer.organization_id)
    if invitation_id not in {each.id for each in open_ones}:
        raise Http404
    withdraw_invitation(invitation_id=invitation_id, actor=request.viewer, now=request.now)
    messages.success(request, _("The invitation is withdrawn."))
    return redirect("portal-people")


def person_suspend(request: ViewedRequest, person_id: int) -> HttpResponse:
    """Shut somebody of ours out at once."""
    found = _known(request, person_id)
    suspend_person(person_id=found.id, actor=request.viewer, now=request.now)
    messages.success(request, _("This person can no longer sign in."))
    return redirect("portal-people")


def person_readmit(request: ViewedRequest, person_id: int) -> HttpResponse:
    """Let somebody of ours back in."""
    found = _known(request, person_id)
    readmit_person(person_id=found.id, actor=request.viewer, now=request.now)
    messages.success(request, _("This person can sign in again."))
    return redirect("portal-people")


def _known(request: ViewedRequest, person_id: int) -> PersonFacts:
    """Somebody of the viewer's own organization.

    Raises:
        Http404: there is no such person there.
    """
    theirs = registered(active=None, organization_id=request.viewer.organization_id)
    found = next((each for each in theirs if each.id == person_id), None)
    if found is None:
        raise Http404
    return found
