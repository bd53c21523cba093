"""People and roles: who works here, as what, how they come in; invitations."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from muhafiz.accounts import queries
from muhafiz.accounts.actions.invitations import withdraw_invitation
from muhafiz.accounts.actions.people import (
    grant_role,
    readmit_person,
    revoke_role,
    suspend_person,
)
from muhafiz.accounts.actions.sessions import end_sessions
from muhafiz.accounts.queries import PersonFacts
from muhafiz.accounts.rules import matrix, may
from muhafiz.audit import queries as audit
from muhafiz.common.refusal import Refusal
from muhafiz.constituency import queries as constituency
from muhafiz.constituency.cares import standing_names
from muhafiz.web.asking import Asked
from muhafiz.web.me import factors_of
from muhafiz.web.refusals import sentence
from muhafiz.web.signin.inviting import invite, take_ways_in_away
from muhafiz.web.viewer import ViewedRequest

_STATES = ("active", "suspended")
_ENTRIES = 20


def people(request: ViewedRequest) -> HttpResponse:
    """Everybody, by role and state; and the invitations."""
    return _list(request, Asked(request.GET), {})


def _list(request: ViewedRequest, asked: Asked, wrong: dict[str, str]) -> HttpResponse:
    role = asked.choice("role", tuple(matrix().roles))
    state = asked.choice("state", _STATES)
    active = None if not state else state == "active"
    rows = queries.people(role=role or None, active=active)
    may_invite = may(request.viewer, "people.invite")
    invited = queries.invitations() if may_invite else []
    wanted = {row.organization_id for row in rows} | {each.organization_id for each in invited}
    owners = constituency.organizations(one for one in wanted if one is not None)
    context = {
        "rows": [(row, owners.get(row.organization_id or 0)) for row in rows],
        "invited": [
            (each, owners.get(each.organization_id or 0), each.is_open(request.now))
            for each in invited
        ],
        "roles": matrix().roles,
        "role": role,
        "state": state,
        "asked": asked,
        "wrong": wrong,
        "typed": request.POST if wrong else {},
        "chosen": Asked(request.POST).whole("organization") if wrong else None,
        "constituents": standing_names(viewer=request.viewer) if may_invite else [],
        "may_invite": may_invite,
        "here": "people",
    }
    status = 400 if wrong else asked.status
    return render(request, "desk/people/list.html", context, status=status)


def person_invite(request: ViewedRequest) -> HttpResponse:
    """Invite somebody by letter; what is wrong is shown with all that was typed."""
    asked = Asked(request.POST)
    organization_id = asked.whole("organization")
    if organization_id is not None and constituency.organization(organization_id) is None:
        asked.errors["organization"] = _("There is no such constituent.")
    wrong = dict(asked.errors)
    if not wrong:
        try:
            invite(
                email=request.POST.get("email", ""),
                name=request.POST.get("name", ""),
                role=request.POST.get("role", ""),
                language=request.POST.get("language", "en"),
                organization_id=organization_id,
                actor=request.viewer,
                now=request.now,
            )
        except Refusal as refusal:
            wrong = {"email": sentence(refusal)}
    if wrong:
        return _list(request, Asked({}), wrong)
    messages.success(request, _("The invitation is on its way."))
    return redirect("people")


def invitation_withdraw(request: ViewedRequest, invitation_id: int) -> HttpResponseRedirect:
    """Take an open invitation back."""
    withdraw_invitation(invitation_id=invitation_id, actor=request.viewer, now=request.now)
    messages.success(request, _("The invitation is withdrawn."))
    return redirect("people")


def person(request: ViewedRequest, person_id: int) -> HttpResponse:
    """One person: roles, ways in, sessions, and what the log says of them."""
    return _page(request, _found(person_id), {})


def _page(request: ViewedRequest, found: PersonFacts, wrong: dict[str, str]) -> HttpResponse:
    owner = found.organization_id
    reads_log = may(request.viewer, "audit.read")
    context: dict[str, Any] = {
        "person": found,
        "owner": None if owner is None else constituency.organization(owner),
        "grantable": [
            role
            for role in matrix().roles
            if role not in found.roles and (role in matrix().constituents) == (owner is not None)
        ],
        "factors": factors_of(found.id),
        "sessions": queries.open_sessions(found.id, now=request.now),
        "entries": audit.entries(subject=f"person:{found.id}", limit=_ENTRIES) if reads_log else [],
        "may_edit": may(request.viewer, "people.edit"),
        "myself": request.viewer.identifier == str(found.id),
        "wrong": wrong,
        "typed": request.POST if wrong else {},
        "here": "person",
    }
    return render(request, "desk/people/page.html", context, status=400 if wrong else 200)


def person_grant(request: ViewedRequest, person_id: int) -> HttpResponse:
    """Give a role."""
    found, role = _found(person_id), request.POST.get("role", "")
    try:
        grant_role(person_id=found.id, role=role, actor=request.viewer, now=request.now)
    except Refusal as refusal:
        return _page(request, found, {"role": sentence(refusal)})
    messages.success(request, _("The role is given."))
    return redirect("person", person_id)


def person_revoke(request: ViewedRequest, person_id: int) -> HttpResponse:
    """Take a role back."""
    found, role = _found(person_id), request.POST.get("role", "")
    revoke_role(person_id=found.id, role=role, actor=request.viewer, now=request.now)
    messages.success(request, _("The role is taken back."))
    return redirect("person", person_id)


def person_suspend(request: ViewedRequest, person_id: int) -> HttpResponse:
    """Shut a person out at once."""
    suspend_person(person_id=_found(person_id).id, actor=request.viewer, now=request.now)
    messages.success(request, _("The person is suspended and signed out everywhere."))
    return redirect("person", person_id)


def person_readmit(request: ViewedRequest, person_id: int) -> HttpResponse:
    """Let a suspended person back in."""
    readmit_person(person_id=_found(person_id).id, actor=request.viewer, now=request.now)
    messages.success(request, _("The person may sign in again."))
    return redirect("person", person_id)


def person_sign_out(request: ViewedRequest, person_id: int) -> HttpResponse:
    """End all sessions of a person."""
    ended = end_sessions(
        person_id=_found(person_id).id, why="revoked", actor=request.viewer, now=request.now
    )
    messages.success(request, _("Signed out elsewhere: {count}.").format(count=ended))
    return redirect("person", person_id)


def person_reset(request: ViewedRequest, person_id: int) -> HttpResponse:
    """Take password and factors away, with a reason for the log."""
    found, reason = _found(person_id), request.POST.get("reason", "")
    try:
        take_ways_in_away(person_id=found.id, reason=reason, actor=request.viewer, now=request.now)
    except Refusal as refusal:
        return _page(request, found, {"reason": sentence(refusal)})
    messages.success(request, _("Password and factors are gone; the person was told by letter."))
    return redirect("person", person_id)


def _found(person_id: int) -> PersonFacts:
    found = queries.person(person_id)
    if found is None:
        raise Http404
    return found
