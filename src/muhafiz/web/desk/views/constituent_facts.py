"""An organization's own facts: entered, edited, let go."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from muhafiz.common.refusal import Refusal
from muhafiz.constituency.actions.organizations import (
    change_sector,
    edit_organization,
    move_organization,
    register_organization,
    retire_organization,
)
from muhafiz.constituency.cares import standing_names
from muhafiz.constituency.facts import OrganizationPage
from muhafiz.constituency.rules import LANGUAGES
from muhafiz.web.desk.views.constituent_forms import asked_page, day, number
from muhafiz.web.place import region_names, sector_names
from muhafiz.web.refusals import sentence
from muhafiz.web.viewer import ViewedRequest


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
            region=given.get("region", ""),
            language=given.get("language", "en"),
            parent_id=number(given.get("parent", "")),
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
    page = asked_page(request, organization_id)
    return _facts_page(request, page, _facts_of(page))


def _facts_of(page: OrganizationPage) -> dict[str, str]:
    """The form as it stands before anything is typed."""
    return {
        "name_en": page.facts.name_en,
        "name_ur": page.facts.name_ur,
        "sector": page.facts.sector,
        "region": page.facts.region,
        "language": page.facts.language,
        "parent": str(page.facts.parent_id or ""),
        "note": page.note,
    }


def constituent_save(request: ViewedRequest, organization_id: int) -> HttpResponse:
    """Write down what was changed; each change is a line of the organization's history."""
    page, given = asked_page(request, organization_id), request.POST
    known: dict[str, Any] = {
        "organization_id": organization_id,
        "actor": request.viewer,
        "now": request.now,
    }
    try:
        with transaction.atomic():  # all that was typed, or nothing
            edit_organization(
                name_en=given.get("name_en", ""),
                name_ur=given.get("name_ur", ""),
                region=given.get("region"),  # not asked where the rulebook knows no regions
                language=given.get("language", "en"),
                note=given.get("note", ""),
                **known,
            )
            if given.get("sector", "") != page.facts.sector:
                change_sector(sector=given.get("sector", ""), since=request.now.date(), **known)
            if number(given.get("parent", "")) != page.facts.parent_id:
                move_organization(parent_id=number(given.get("parent", "")), **known)
    except Refusal as refusal:
        return _facts_page(request, page, given, error=sentence(refusal))
    messages.success(request, _("The organization's facts were kept."))
    return redirect("constituent", organization_id)


def constituent_retire(request: ViewedRequest, organization_id: int) -> HttpResponse:
    """Let an organization go: its claims end on a day, its history stays."""
    page = asked_page(request, organization_id)
    try:
        since: date = day(request.POST.get("since", "")) or request.now.date()
        retire_organization(
            organization_id=organization_id, since=since, actor=request.viewer, now=request.now
        )
    except Refusal as refusal:
        return _facts_page(request, page, _facts_of(page), error=sentence(refusal))
    messages.success(request, _("The organization is retired. What it was told stays."))
    return redirect("constituent", organization_id)


def _facts_page(request: ViewedRequest, page: Any, typed: Any, error: str = "") -> HttpResponse:
    context = {
        "page": page,
        "typed": typed,
        "error": error,
        "sectors": sector_names(request.now),
        "regions": region_names(request.now),
        "today": request.now.date(),
        "languages": LANGUAGES,
        "parents": [
            (number, name)
            for number, name in standing_names(viewer=request.viewer)
            if page is None or number != page.facts.id
        ],
        "parent": number(typed.get("parent", "")),
        "here": "constituent-edit",
    }
    status = 400 if error else 200
    return render(request, "desk/constituents/facts.html", context, status=status)
