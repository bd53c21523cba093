"""How the platform is: what is wrong, how to mend it, and what is well."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from muhafiz.accounts.rules import may
from muhafiz.common.actor import Actor
from muhafiz.health.queries import checkups
from muhafiz.health.rules import Finding, worst_first
from muhafiz.web.desk.permissions import ROUTES
from muhafiz.web.viewer import ViewedRequest


def platform_health(request: ViewedRequest) -> HttpResponse:
    """Every finding with its mend, the worst first; then each subject with what is well."""
    found = checkups(now=request.now)
    words = {id(finding): checkup.word for checkup in found for finding in checkup.findings}
    context = {
        "findings": [
            (each, words[id(each)], _more(each, request.viewer)) for each in worst_first(found)
        ],
        "checkups": found,
        "looked_at": request.now,
        "here": "platform-health",
    }
    return render(request, "desk/health/page.html", context)


def _more(finding: Finding, viewer: Actor) -> str:
    """The address of the page that shows more, where the viewer may open it."""
    route = finding.ailment.route
    if not route or not may(viewer, ROUTES[route][0]):
        return ""
    return reverse(route, kwargs=dict(finding.route_args)) + finding.query
