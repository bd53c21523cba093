"""Exposure over the last ninety days."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import render

from muhafiz.detection import queries
from muhafiz.web.asking import Asked
from muhafiz.web.portal.files import trend_file
from muhafiz.web.portal.scope import Scope, scope_of
from muhafiz.web.portal.trend import Trend, trend
from muhafiz.web.portal.words import rows
from muhafiz.web.viewer import ViewedRequest

_DAYS = 90
_OVER = 50


def history(request: ViewedRequest) -> HttpResponse:
    """The drawing, its numbers, and what is over."""
    asked = Asked(request.GET)
    scope = scope_of(request, asked)
    over = queries.findings(
        viewer=request.viewer,
        wanted=queries.Wanted(state=("fixed", "quiet"), organization_ids=scope.ids),
        limit=_OVER,
    )
    context = {
        "scope": scope,
        "trend": _trend(request, scope),
        "over": rows(sorted(over, key=lambda each: each.state_at, reverse=True), scope.parts),
        "query": request.GET.urlencode(),
        "here": "portal-history",
    }
    return render(request, "portal/history.html", context, status=asked.status)


def history_out(request: ViewedRequest, form: str) -> HttpResponse:
    """The drawing or its numbers as a file."""
    scope = scope_of(request, Asked(request.GET))
    return trend_file(_trend(request, scope), "exposure", form)


def _trend(request: ViewedRequest, scope: Scope) -> Trend | None:
    today = request.now.date()
    first = today - timedelta(days=_DAYS - 1)
    found = queries.exposure_history(viewer=request.viewer, since=first, organization_ids=scope.ids)
    return trend(found, first=first, last=today)
