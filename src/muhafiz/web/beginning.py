"""Where a person's work begins, once they are signed in."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse

from muhafiz.accounts.rules import may
from muhafiz.common.actor import Actor
from muhafiz.web.desk.navigation import first_page as first_desk_page


def first_page(viewer: Actor) -> str:
    """The first page open to the viewer: of the portal, of the desk, else a word of welcome."""
    if viewer.organization_id is not None:
        return _portal() if may(viewer, "portal.use") else reverse("welcome")
    found = first_desk_page(viewer)
    return found if found != reverse("front") else reverse("welcome")


def _portal() -> str:
    try:
        return reverse("portal")
    except NoReverseMatch:
        return reverse("welcome")


def begin(request: HttpRequest) -> HttpResponse:
    """To the viewer's first page."""
    return HttpResponseRedirect(first_page(request.viewer))  # type: ignore[attr-defined]  # ViewerMiddleware


def welcome(request: HttpRequest) -> HttpResponse:
    """For people whose role has no page yet."""
    return render(request, "web/welcome.html")
