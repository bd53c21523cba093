"""Contacts: whom letters go to, when they are on call, and their keys."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from muhafiz.common.refusal import Refusal
from muhafiz.constituency import holdings
from muhafiz.constituency.actions.contacts import ContactDetails
from muhafiz.constituency.actions.own_contacts import (
    add_own_contact,
    change_own_contact,
    confirm_own_contact,
    end_own_contact,
)
from muhafiz.constituency.facts import ContactFacts
from muhafiz.constituency.rules import LANGUAGES, ROLES, BadHours, NoSuchRecord
from muhafiz.keyring.rules import BadCertificate
from muhafiz.web.asking import Asked
from muhafiz.web.portal.keys import key_of
from muhafiz.web.portal.scope import scope_of
from muhafiz.web.refusals import sentence
from muhafiz.web.viewer import ViewedRequest

_KEY_BYTES = 60_000  # a form put aside holds no more
View = Callable[..., HttpResponseBase]
_FIELDS = ("address", "role", "name", "language", "hours", "certificate", "organization")


def with_key_text(view: View) -> View:
    """The view, to which a key's file comes as the key's text.

    A form that is put aside until its sender has proved who they are keeps texts, not files.
    """

    @wraps(view)
    def answer(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        upload = request.FILES.get("key_file")
        if isinstance(upload, UploadedFile) and 0 < (upload.size or 0) <= _KEY_BYTES:
            request.POST = request.POST.copy()
            request.POST["certificate"] = upload.read().decode("utf-8", "replace")
        return view(request, *args, **kwargs)

    return answer


def contacts(request: ViewedRequest) -> HttpResponse:
    """All contacts, those first that wait to be confirmed."""
    scope = scope_of(request)
    found = holdings.own_contacts(viewer=request.viewer)
    rows = [
        {
            "contact": each,
            "part": scope.parts.get(each.organization_id),
            "key": key_of(each, request.now),
            "stale": holdings.unconfirmed(each, at=request.now),
        }
        for each in found
    ]
    rows.sort(key=lambda row: not row["stale"])
    context = {"rows": rows, "scope": scope, "here": "portal-contacts"}
    return render(request, "portal/contacts/list.html", context)


def contact_new(request: ViewedRequest) -> HttpResponse:
    """The empty form."""
    return _form(request, None, {"role": "abuse"}, {})


def contact_add(request: ViewedRequest) -> HttpResponse:
    """Enter a new contact."""
    asked, typed = _typed(request)
    owners = tuple(str(pk) for pk in scope_of(request).parts)
    owner = asked.choice("organization", owners, owners[0])
    if asked.errors:
        return _form(request, None, typed, asked.errors, 400)
    try:
        add_own_contact(
            organization_id=int(owner), details=_details(typed), actor=request.viewer,
            now=request.now,
        )  # fmt: skip
    except Refusal as refusal:
        return _form(request, None, typed, {_field(refusal): sentence(refusal)}, 409)
    messages.success(request, _("The contact is entered."))
    return redirect("portal-contacts")


def contact(request: ViewedRequest, contact_id: int) -> HttpResponse:
    """The form with what stands now."""
    found = _known(request, contact_id)
    typed = {name: str(getattr(found, name, "") or "") for name in _FIELDS}
    return _form(request, found, typed, {})


def contact_change(request: ViewedRequest, contact_id: int) -> HttpResponse:
    """Give the contact other details."""
    found = _known(request, contact_id)
    asked, typed = _typed(request)
    if asked.errors:
        return _form(request, found, typed, asked.errors, 400)
    try:
        change_own_contact(
            contact_id=contact_id, details=_details(typed, found), actor=request.viewer,
            now=request.now,
        )  # fmt: skip
    except Refusal as refusal:
        return _form(request, found, typed, {_field(refusal): sentence(refusal)}, 409)
    messages.success(request, _("The contact is changed."))
    return redirect("portal-contacts")


def contact_confirm(request: ViewedRequest, contact_id: int) -> HttpResponse:
    """Say that it is still right."""
    _known(request, contact_id)
    confirm_own_contact(contact_id=contact_id, actor=request.viewer, now=request.now)
    messages.success(request, _("Thank you. The contact is confirmed for 90 days."))
    return redirect("portal-contacts")


def contact_end(request: ViewedRequest, contact_id: int) -> HttpResponse:
    """Write to it no more."""
    found = _known(request, contact_id)
    try:
        end_own_contact(
            contact_id=contact_id, reason=request.POST.get("reason", ""), actor=request.viewer,
            now=request.now,
        )  # fmt: skip
    except NoSuchRecord as gone:
        raise Http404 from gone
    except Refusal as refusal:
        typed = {name: str(getattr(found, name, "") or "") for name in _FIELDS}
        typed["reason"] = request.POST.get("reason", "")
        return _form(request, found, typed, {"reason": sentence(refusal)}, 409)
    messages.success(request, _("No more letters go to this contact."))
    return redirect("portal-contacts")


def _known(request: ViewedRequest, contact_id: int) -> ContactFacts:
    found = holdings.own_contact(contact_id, viewer=request.viewer)
    if found is None:
        raise Http404
    return found


def _typed(request: ViewedRequest) -> tuple[Asked, dict[str, str]]:
    """What was typed."""
    asked = Asked(request.POST)
    typed = {name: request.POST.get(name, "") for name in _FIELDS}
    for name in ("address", "name", "hours"):
        asked.text(name)
    upload = request.FILES.get("key_file")
    if isinstance(upload, UploadedFile) and (upload.size or 0) > _KEY_BYTES:
        asked.errors["certificate"] = _("This file is too large to be a key.")
    if not typed["address"].strip():
        asked.errors["address"] = _("Type an e-mail address.")
    return asked, typed


def _details(typed: dict[str, str], found: ContactFacts | None = None) -> ContactDetails:
    language = typed["language"] if typed["language"] in LANGUAGES else ""
    return ContactDetails(
        address=typed["address"],
        role=typed["role"],
        name=typed["name"],
        language=language,
        certificate=typed["certificate"],
        hours=typed["hours"],
        valid_from=found.valid_from if found else None,
        valid_to=found.valid_to if found else None,
    )


def _field(refusal: Refusal) -> str:
    """Which field a refusal is about."""
    if isinstance(refusal, BadCertificate):
        return "certificate"
    return "hours" if isinstance(refusal, BadHours) else "address"


def _form(
    request: ViewedRequest,
    found: ContactFacts | None,
    typed: dict[str, str],
    errors: dict[str, str],
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = {
        "contact": found,
        "typed": typed,
        "errors": errors,
        "key": key_of(found, request.now) if found else None,
        "scope": scope_of(request),
        "roles": ROLES,
        "languages": LANGUAGES,
        "here": "portal-contact",
    }
    return render(request, "portal/contacts/form.html", context, status=status)
