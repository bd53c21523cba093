"""Whom an organization's letters go to: entered, changed, confirmed, ended, taken back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from muhafiz.common.refusal import Refusal
from muhafiz.constituency.actions.asking import ask_contacts
from muhafiz.constituency.actions.contacts import (
    ContactDetails,
    add_contact,
    change_contact,
    confirm_contact,
    withdraw_contact,
)
from muhafiz.constituency.queries import current_contacts
from muhafiz.constituency.rules import LANGUAGES
from muhafiz.constituency.rules import ROLES as CONTACT_ROLES
from muhafiz.notifications.actions.addresses import restore_address
from muhafiz.web.addresses import asked_next
from muhafiz.web.desk.views.constituent_forms import asked_page, day, done
from muhafiz.web.refusals import sentence
from muhafiz.web.viewer import ViewedRequest

_MOST_KEY = 200_000  # bytes of an OpenPGP certificate


class NoFile(Refusal):
    """The uploaded key is no text, or too large."""

    text = "The key must be an OpenPGP certificate as text (.asc), at most 200 kB."


def contact_form(request: ViewedRequest, organization_id: int, contact_id: int = 0) -> HttpResponse:
    """The form for a contact, new or known."""
    return _contact_page(request, organization_id, contact_id, {})


def contact_save(request: ViewedRequest, organization_id: int, contact_id: int = 0) -> HttpResponse:
    """Enter a contact, or give it other details as a new version."""
    page, known = _contact(request, organization_id, contact_id)
    given = request.POST
    try:
        details = ContactDetails(
            address=given.get("address", ""),
            role=given.get("role", ""),
            name=given.get("name", ""),
            language=given.get("language", ""),
            certificate=_certificate(request, known),
            hours=given.get("hours", ""),
            valid_from=day(given.get("valid_from", "")),
            valid_to=day(given.get("valid_to", "")),
        )
        if known is None:
            add_contact(
                organization_id=organization_id,
                details=details,
                actor=request.viewer,
                now=request.now,
            )
        else:
            change_contact(
                contact_id=contact_id, details=details, actor=request.viewer, now=request.now
            )
    except Refusal as refusal:
        error = sentence(refusal)
        return _contact_page(request, page.facts.id, contact_id, given, error=error)
    messages.success(request, _("The contact was kept."))
    return redirect("constituent", organization_id)


def _certificate(request: ViewedRequest, known: Any) -> str:
    """The key as uploaded or pasted; the one there is when neither; none when it is to go."""
    sent = request.FILES.get("file")
    if sent is not None:
        if sent.size is None or sent.size > _MOST_KEY:
            raise NoFile
        try:
            return bytes(sent.read()).decode("ascii")
        except UnicodeDecodeError:
            raise NoFile from None
    pasted = request.POST.get("certificate", "").strip()
    if pasted or request.POST.get("forget"):
        return "" if request.POST.get("forget") else pasted
    return str(known.certificate or "") if known is not None else ""


def contact_confirm(
    request: ViewedRequest, organization_id: int, contact_id: int
) -> HttpResponseRedirect:
    """Note that somebody answered at this contact."""
    _contact(request, organization_id, contact_id)
    confirm_contact(contact_id=contact_id, actor=request.viewer, now=request.now)
    messages.success(request, _("The contact is confirmed as of now."))
    page = reverse("constituent", args=[organization_id])
    return HttpResponseRedirect(asked_next(request, page))


def contact_ask(request: ViewedRequest, organization_id: int, contact_id: int) -> HttpResponse:
    """Ask a contact by letter whether it is still right."""
    _contact(request, organization_id, contact_id)

    def act() -> str:
        ask_contacts(contact_ids=[contact_id], actor=request.viewer, now=request.now)
        return _("The question is on its way. The answer is noted by itself.")

    return done(request, organization_id, f"contact-{contact_id}", act)


def contact_withdraw(request: ViewedRequest, organization_id: int, contact_id: int) -> HttpResponse:
    """Write to a contact no more."""
    _contact(request, organization_id, contact_id)

    def act() -> str:
        withdraw_contact(
            contact_id=contact_id,
            reason=request.POST.get("reason", ""),
            actor=request.viewer,
            now=request.now,
        )
        return _("Nothing is written to this contact any more.")

    return done(request, organization_id, f"contact-{contact_id}", act)


def address_restore(request: ViewedRequest, organization_id: int, contact_id: int) -> HttpResponse:
    """Write to an address again that mail systems refused."""
    _page, known = _contact(request, organization_id, contact_id)
    if known is None:
        raise Http404

    def act() -> str:
        restore_address(
            address=known.address,
            reason=request.POST.get("reason", ""),
            actor=request.viewer,
            now=request.now,
        )
        return _("Letters go to this address again.")

    return done(request, organization_id, f"contact-{contact_id}", act)


def _contact_page(
    request: ViewedRequest, organization_id: int, contact_id: int, typed: Any, error: str = ""
) -> HttpResponse:
    page, known = _contact(request, organization_id, contact_id)
    fields = ("address", "role", "name", "language", "hours", "valid_from", "valid_to")
    shown = {name: typed.get(name, "") for name in fields} if typed else {}
    if not typed and known is not None:
        shown = {name: str(getattr(known, name) or "") for name in fields}
    context = {
        "page": page,
        "contact": known,
        "contact_id": contact_id,
        "typed": shown,
        "pasted": typed.get("certificate", "") if typed else "",
        "roles": CONTACT_ROLES,
        "languages": LANGUAGES,
        "error": error,
        "here": "contact-form",
    }
    status = 400 if error else 200
    return render(request, "desk/constituents/contact.html", context, status=status)


def _contact(request: ViewedRequest, organization_id: int, contact_id: int) -> tuple[Any, Any]:
    """The organization's page and its contact (None for a new one); 404 when it is not theirs."""
    page = asked_page(request, organization_id)
    if not contact_id:
        return page, None
    found = next((one for one in current_contacts([organization_id]) if one.id == contact_id), None)
    if found is None:
        raise Http404
    return page, found
