"""Who looks at the page, when, and in which zone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from muhafiz.accounts.queries import person_actor
from muhafiz.common.actor import Actor
from muhafiz.common.clock import Clock, SystemClock
from muhafiz.web.place import national_zone

#: The session's key that holds the id of the person who entered.
PERSON = "person"


class ViewedRequest(HttpRequest):
    """A request of the desk: it knows its viewer, who has entered, and its moment."""

    viewer: Actor
    now: datetime
    clock: Clock


def _viewer(request: HttpRequest) -> Actor | None:
    number = request.session.get(PERSON)
    return None if number is None else person_actor(int(number))


class ViewerMiddleware:
    """Middleware: sets `request.viewer` (None: nobody entered), `request.now`, `request.clock`.

    Pages of somebody who entered show national time (the rulebook's `jurisdiction.timezone`).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response
        self._clock = SystemClock()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Name the viewer, then answer."""
        viewed: ViewedRequest = request  # type: ignore[assignment]  # these lines make it one
        found = _viewer(request)
        viewed.viewer = found  # type: ignore[assignment]  # the desk's guard lets no None through
        viewed.clock = self._clock
        viewed.now = self._clock.now()
        if found is None:
            return self._get_response(request)
        with timezone.override(national_zone(viewed.now)):
            return self._get_response(request)
