"""Who looks at the page, and when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.http import HttpRequest, HttpResponse

from muhafiz.common.actor import Actor
from muhafiz.common.clock import SystemClock

#: The session's key that holds the id of the person who entered.
PERSON = "person"


class ViewedRequest(HttpRequest):
    """A request after `ViewerMiddleware`: it knows its viewer and its moment."""

    viewer: Actor | None
    now: datetime


def _viewer(request: HttpRequest) -> Actor | None:
    person = request.session.get(PERSON)
    if person is None:
        return None
    from muhafiz.accounts.queries import person_actor

    return person_actor(int(person))


class ViewerMiddleware:
    """Middleware: sets `request.viewer` (None: nobody entered) and `request.now` (UTC)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response
        self._clock = SystemClock()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Name the viewer, then answer."""
        request.viewer = _viewer(request)
        request.now = self._clock.now()
        return self._get_response(request)
