"""Two organizations become one: what would move is shown first."""

from __future__ import annotations

from datetime import date

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from muhafiz.common.refusal import Refusal
from muhafiz.constituency import directory
from muhafiz.constituency.actions.organizations import merge_organizations
from muhafiz.constituency.cares import standing_names
from muhafiz.constituency.merging import merge_preview
from muhafiz.web.desk.asking import Asked
from muhafiz.web.refusals import sentence
from muhafiz.web.viewer import ViewedRequest


def merge(request: ViewedRequest, organization_id: int) -> HttpResponse:
    """Choose whom to take in; with both chosen, what would move."""
    return _page(request, organization_id, Asked(request.GET))


def merge_do(request: ViewedRequest, organization_id: int) -> HttpResponse:
    """Merge as previewed; both histories say so."""
    asked = Asked(request.POST)
    other, since = asked.whole("other"), asked.day("since")
    if other is None or since is None:
        return _page(request, organization_id, asked)
    try:
        merge_organizations(
            kept_id=organization_id,
            absorbed_id=other,
            since=_date(asked) or request.now.date(),
            actor=request.viewer,
            now=request.now,
        )
    except Refusal as refusal:
        asked.errors["other"] = sentence(refusal)
        return _page(request, organization_id, asked)
    messages.success(request, _("The organizations are one. Both histories say so."))
    return redirect("constituent", organization_id)


def _page(request: ViewedRequest, organization_id: int, asked: Asked) -> HttpResponse:
    found = directory.organization_page(organization_id, viewer=request.viewer, at=request.now)
    if found is None:
        raise Http404
    other = asked.whole("other")
    since = _date(asked) or request.now.date()
    preview = merge_preview(organization_id, other, since) if other is not None else None
    if other is not None and preview is None:
        asked.errors["other"] = _("There is no such organization.")
    if preview is not None and preview.obstacle is not None:
        asked.errors["other"] = sentence(preview.obstacle)
    names = standing_names(viewer=request.viewer)
    context = {
        "page": found,
        "others": [(number, name) for number, name in names if number != organization_id],
        "other": other,
        "since": since,
        "preview": preview if preview is not None and preview.obstacle is None else None,
        "asked": asked,
        "here": "merge",
    }
    return render(request, "desk/constituents/merge.html", context, status=asked.status)


def _date(asked: Asked) -> date | None:
    found = asked.day("since")
    return None if found is None else date.fromisoformat(asked.text("since"))
