"""Nobody works before they can prove who they are: until then they get only the set-up page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from muhafiz.accounts.queries import Visit
from muhafiz.web.doors import ROUTES

#: What is open to somebody who has not set themselves up; everything else waits.
OPEN = (
    "/sign-in/",
    "/leave/",
    "/theme/",
    "/language/",
    "/verify/",
    "/contact/",
    "/health/",
    "/static/",
)


@dataclass(frozen=True, slots=True)
class Lacking:
    """What a person still has to set up before they work."""

    password: bool
    factor: bool

    def __bool__(self) -> bool:
        """Whether anything is lacking."""
        return self.password or self.factor


def lacking(visit: Visit) -> Lacking:
    """What the visitor lacks. Staff need a second factor; in the demonstration nobody anything.

    A password is needed unless a passkey or another house signs the person in.
    """
    if settings.DEMONSTRATION:
        return Lacking(password=False, factor=False)
    found = visit.person
    known_elsewhere = "openid" in visit.way or found.second_factor
    return Lacking(
        password=not found.has_password and not known_elsewhere,
        factor=found.organization_id is None and not found.second_factor,
    )


class EntryGate:
    """Middleware: doors marked `entered` are shut to who is not, before their views do anything.

    The views' own check would remember in a session what a stranger sent, for after they enter.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        return self._get_response(request)

    def process_view(self, request: HttpRequest, *_view: object) -> HttpResponse | None:
        """Lead a stranger to sign-in, and back to what they wanted to read."""
        found = request.resolver_match
        who = ROUTES.get(found.url_name or "", ("", ""))[0] if found else ""
        if who != "entered" or getattr(request, "visit", None) is not None:
            return None
        if request.method in {"GET", "HEAD"}:
            return redirect_to_login(request.get_full_path())
        return HttpResponseRedirect(reverse("account_login"))


class SetUpGate:
    """Middleware: who lacks something gets the set-up page, whatever they asked for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, or lead to the set-up page."""
        visit: Visit | None = getattr(request, "visit", None)
        if visit is None or request.path_info.startswith(OPEN) or not lacking(visit):
            return self._get_response(request)
        place = reverse("set-up")
        if "HX-Request" in request.headers:
            return HttpResponse(status=204, headers={"HX-Redirect": place})
        return HttpResponseRedirect(place)
