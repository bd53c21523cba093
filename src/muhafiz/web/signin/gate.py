"""Nobody works before they can prove who they are: until then they get only the set-up page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from muhafiz.accounts.queries import Visit

#: What is open to somebody who has not set themselves up; everything else waits.
OPEN = ("/sign-in/", "/leave/", "/theme/", "/language/", "/verify/", "/health/", "/static/")


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


class SetUpGate:
    """Middleware: who lacks something gets the set-up page, whatever they asked for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, or lead to the set-up page."""
        visit: Visit | None = getattr(request, "visit", None)
        if visit is None or request.path.startswith(OPEN) or not lacking(visit):
            return self._get_response(request)
        place = reverse("set-up")
        if "HX-Request" in request.headers:
            return HttpResponse(status=204, headers={"HX-Redirect": place})
        return HttpResponseRedirect(place)
