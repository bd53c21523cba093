"""What staff change about an organization: facts, claims, contacts, keys, inhibitions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from muhafiz.common.refusal import Refusal
from muhafiz.constituency import directory
from muhafiz.constituency.actions.claims import add_claim, date_claim, withdraw_claim
from muhafiz.constituency.actions.contacts import (
    ContactDetails,
    add_contact,
    change_contact,
    confirm_contact,
    withdraw_contact,
)
from muhafiz.constituency.actions.inhibitions import inhibit_letters, lift_inhibition
from muhafiz.constituency.actions.organizations import (
    change_sector,
    edit_organization,
    move_organization,
    register_organization,
)
from muhafiz.constituency.cares import standing_names
from muhafiz.constituency.queries import current_contacts
from muhafiz.constituency.rules import LANGUAGES
from muhafiz.constituency.rules import ROLES as CONTACT_ROLES
from muhafiz.web.addresses import asked_next
from muhafiz.web.desk.views.constituents import constituent_page
from muhafiz.web.place import sector_names
from muhafiz.web.refusals import sentence
from muhafiz.web.viewer import ViewedRequest

_MOST_KEY = 200_000  # bytes of an OpenPGP certificate


class BadEntry(Refusal):
    """A field of the form cannot be read."""

    text = "“{value}” is no date. Write it like 2026-11-23."


class NoFile(Refusal):
    """The uploaded key is no text, or too large."""

    text = "The key must be an OpenPGP certificate as text (.asc), at most 200 kB."


def constituent_new(request: ViewedRequest) -> HttpResponse:
    """The form for an organization that is not there yet."""
    return _facts_page(request, None, {})


def constituent_register(request: ViewedRequest) -> HttpResponse:
    """Take an organization in."""
    given = request.POST
    try:
        made = register_organization(
            name_en=given.get("name_en", ""),
            name_ur=given.get("name_ur", ""),
            sector=given.get("sector", ""),
            language=given.get("language", "en"),
            parent_id=_number(given.get("parent", "")),
            note=given.get("note", ""),
            actor=request.viewer,
            now=request.now,
        )
    except Refusal as refusal:
        return _facts_page(request, None, given, error=sentence(refusal))
    messages.success(request, _("The organization was entered."))
    return redirect("constituent", made)


def constituent_edit(request: ViewedRequest, organization_id: int) -> HttpResponse:
    """The form for an organization's own facts."""
    page = _page(request, organization_id)
    typed = {
        "name_en": page.facts.name_en,
        "name_ur": page.facts.name_ur,
        "sector": page.facts.sector,
        "language": page.facts.language,
        "parent": str(page.facts.parent_id or ""),
        "note": page.note,
    }
    return _facts_page(request, page, typed)


def constituent_save(request: ViewedRequest, organization_id: int) -> HttpResponse:
    """Write down what was changed; each change is a line of the organization's history."""
    page, given = _page(request, organization_id), request.POST
    known: dict[str, Any] = {
        "organization_id": organization_id,
        "actor": request.viewer,
        "now": request.now,
    }
    try:
        edit_organization(
            name_en=given.get("name_en", ""),
            name_ur=given.get("name_ur", ""),
            language=given.get("language", "en"),
            note=given.get("note", ""),
            **known,
        )
        if given.get("sector", "") != page.facts.sector:
            change_sector(sector=given.get("sector", ""), since=request.now.date(), **known)
        if _number(given.get("parent", "")) != page.facts.parent_id:
            move_organization(parent_id=_number(given.get("parent", "")), **known)
    except Refusal as refusal:
        return _facts_page(request, page, given, error=sentence(refusal))
    messages.success(request, _("The organization's facts were kept."))
    return redirect("constituent", organization_id)


def _facts_page(request: ViewedRequest, page: Any, typed: Any, error: str = "") -> HttpResponse:
    context = {
        "page": page,
        "typed": typed,
        "error": error,
        "sectors": sector_names(request.now),
        "languages": LANGUAGES,
        "parents": [
            (number, name)
            for number, name in standing_names(viewer=request.viewer)
            if page is None or number != page.facts.id
        ],
        "parent": _number(typed.get("parent", "")),
        "here": "constituent-edit",
    }
    status = 400 if error else 200
    return render(request, "desk/constituents/facts.html", context, status=status)


def claim_add(request: ViewedRequest, organization_id: int) -> HttpResponse:
    """Enter a network, domain or AS number as theirs."""
    given = request.POST

    def act() -> str:
        add_claim(
            organization_id=organization_id,
            kind=given.get("kind", ""),
            value=given.get("value", ""),
            valid_from=_day(given.get("valid_from", "")),
            valid_to=_day(given.get("valid_to", "")),
            note=given.get("note", ""),
            actor=request.viewer,
            now=request.now,
        )
        return _("The claim was entered.")

    return _done(request, organization_id, "claim", act)


def claim_end(request: ViewedRequest, organization_id: int, claim_id: int) -> HttpResponse:
    """Let a claim end on a day, or take it back as a mistake."""
    given = request.POST
    page = _page(request, organization_id)
    claim = next((each for each in page.claims if each.id == claim_id), None)
    if claim is None:
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
            valid_to=_day(given.get("valid_to", "")) or request.now.date(),
            actor=request.viewer,
            now=request.now,
        )
        return _("The claim ends on that day.")

    return _done(request, organization_id, f"claim-{claim_id}", act)


def inhibit(request: ViewedRequest, organization_id: int) -> HttpResponse:
    """Hold back letters to them until a day, with the reason."""
    given = request.POST

    def act() -> str:
        until = _day(given.get("until", "")) or request.now.date()
        inhibit_letters(
            organization_id=organization_id,
            claim_id=_number(given.get("claim", "")),
            classes=given.get("classes", "") or "*",
            until=datetime.combine(until, time.min, tzinfo=timezone.get_current_timezone()),
            reason=given.get("reason", ""),
            actor=request.viewer,
            now=request.now,
        )
        return _("Letters are held back until that day.")

    return _done(request, organization_id, "inhibit", act)


def inhibition_lift(
    request: ViewedRequest, organization_id: int, inhibition_id: int
) -> HttpResponse:
    """Let letters go out again."""
    page = _page(request, organization_id)
    if all(each.id != inhibition_id for each in page.inhibitions):
        raise Http404

    def act() -> str:
        lift_inhibition(inhibition_id=inhibition_id, actor=request.viewer, now=request.now)
        return _("Letters go out again.")

    return _done(request, organization_id, "inhibit", act)


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
            valid_from=_day(given.get("valid_from", "")),
            valid_to=_day(given.get("valid_to", "")),
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

    return _done(request, organization_id, f"contact-{contact_id}", act)


def _contact_page(
    request: ViewedRequest, organization_id: int, contact_id: int, typed: Any, error: str = ""
) -> HttpResponse:
    page, known = _contact(request, organization_id, contact_id)
    fields = ("address", "role", "name", "language", "hours", "valid_from", "valid_to")
    shown = {name: typed.get(name, "") for name in fields} if typed else {}
    if not typed and known is not None:
        shown = {name: getattr(known, name) or "" for name in fields}
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
    page = _page(request, organization_id)
    if not contact_id:
        return page, None
    found = next((one for one in current_contacts([organization_id]) if one.id == contact_id), None)
    if found is None:
        raise Http404
    return page, found


def _page(request: ViewedRequest, organization_id: int) -> Any:
    found = directory.organization_page(organization_id, viewer=request.viewer, at=request.now)
    if found is None:
        raise Http404
    return found


def _done(
    request: ViewedRequest, organization_id: int, form: str, act: Callable[[], str]
) -> HttpResponse:
    """Act and go back to the page; a refusal stands there beside what was typed."""
    _page(request, organization_id)
    try:
        told = act()
    except Refusal as refusal:
        return constituent_page(request, organization_id, form=form, error=sentence(refusal))
    messages.success(request, told)
    return redirect("constituent", organization_id)


def _day(text: str) -> date | None:
    """The day in a field; None when it is empty.

    Raises:
        BadEntry: it is none.
    """
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise BadEntry(value=text[:40]) from None


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None  # noqa: PLR2004 - 64 bits
