"""The front: what this is, and the ways in and out."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.i18n import set_language

from muhafiz.accounts.actions.entry import redeem_entry_link
from muhafiz.accounts.queries import people, person_actor
from muhafiz.statistics.queries import published_weeks
from muhafiz.web.addresses import asked_next
from muhafiz.web.beginning import first_page
from muhafiz.web.signin.sessions import admit, dismiss
from muhafiz.web.verification import own_key

THEMES = ("light", "dark")
_YEAR = 365 * 24 * 3600


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    """The front page; in the demonstration it offers the demonstration's people."""
    known = people() if settings.DEMONSTRATION else []
    context = {
        "people": sorted(known, key=lambda each: (each.organization_id is not None, each.id)),
        "week": next(iter(published_weeks(limit=1)), None),
        "key": own_key(request.now),  # type: ignore[attr-defined]  # ViewerMiddleware
    }
    return render(request, "web/home.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def enter(request: HttpRequest, token: str) -> HttpResponse:
    """Confirm, then redeem a one-time entry link. GET alone uses nothing up."""
    if request.method != "POST":
        return render(request, "web/enter.html", {"token": token})
    actor = redeem_entry_link(token=token, now=request.now)  # type: ignore[attr-defined]  # ViewerMiddleware
    admit(request, actor, way="link")
    return HttpResponseRedirect(first_page(actor))


@require_POST
def enter_demonstration(request: HttpRequest, person_id: int) -> HttpResponse:
    """Enter as one of the demonstration's people; elsewhere there is no such page."""
    actor = person_actor(person_id) if settings.DEMONSTRATION else None
    if actor is None:
        raise Http404
    admit(request, actor, way="demonstration")
    return HttpResponseRedirect(first_page(actor))


@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """Sign out: the session is gone from the server as well."""
    dismiss(request)
    return HttpResponseRedirect("/")


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Keep light or dark in a cookie and go back to the page."""
    response = HttpResponseRedirect(asked_next(request))
    if (chosen := request.POST.get("theme")) in THEMES:
        response.set_cookie(
            "theme", str(chosen), max_age=_YEAR, samesite="Lax", httponly=True,
            secure=settings.SESSION_COOKIE_SECURE,
        )  # fmt: skip
    return response


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Keep the language in a cookie and go back to the page."""
    return set_language(request)
