"""A face: its routes, who belongs to it, and the guard before each of its pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_http_methods

from muhafiz.accounts.rules import may
from muhafiz.common.actor import Actor

View = Callable[..., HttpResponseBase]


@dataclass(frozen=True, slots=True)
class Face:
    """`routes`: route → (permission, methods); `belongs`: whose face it is.

    The permissions' roles stand in accounts/permissions.toml.
    """

    routes: Mapping[str, tuple[str, str]]
    belongs: Callable[[Actor], bool]

    def route(self, pattern: str, view: View, name: str) -> URLPattern:
        """A path of the face, guarded by its row.

        Raises:
            KeyError: the route has no row; nothing is open by default.
        """
        permission, methods = self.routes[name]
        allowed = ["GET", "HEAD"] if methods == "GET" else [methods]
        return path(
            pattern, require_http_methods(allowed)(self._guarded(view, permission)), name=name
        )

    def _guarded(self, view: View, permission: str) -> View:
        """The view for who belongs here and may; the front page for nobody; 403 for the rest."""

        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            viewer: Actor | None = request.viewer  # type: ignore[attr-defined]  # ViewerMiddleware
            if viewer is None and "HX-Request" in request.headers:
                # A part of a page asks again after its session has ended: the whole page leaves.
                return HttpResponse(status=204, headers={"HX-Redirect": reverse("front")})
            if viewer is None:
                return HttpResponseRedirect(reverse("front"))
            if not self.belongs(viewer) or not may(viewer, permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return answer
