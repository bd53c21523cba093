"""A constituent's request reads as its organization and all below it, down to the database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from django.http import FileResponse, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase

from muhafiz.common.actor import Actor
from muhafiz.constituency.queries import organization_and_below
from muhafiz.tenancy.current import reading_as

#: Pages of the sign-in show a person what is theirs alone, before anybody is a tenant.
SIGN_IN = "/sign-in/"


class TenantMiddleware:
    """Middleware, after `ViewerMiddleware`: a constituent's viewer reads as their tenant."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, also what is sent piece by piece, within the tenant."""
        viewer: Actor | None = request.viewer  # type: ignore[attr-defined]  # ViewerMiddleware
        if viewer is None or viewer.organization_id is None:
            return self._get_response(request)
        if request.path_info.startswith(SIGN_IN):  # as the address is resolved, without any prefix
            return self._get_response(request)
        # The tree is the house's: it is looked up before the tenant's reading begins.
        own = organization_and_below(viewer.organization_id)
        with reading_as(own):
            response = self._get_response(request)
        if isinstance(response, StreamingHttpResponse) and not isinstance(response, FileResponse):
            response.streaming_content = _as_tenant(response.streaming_content, own)  # type: ignore[arg-type]  # no ASGI here
        return response


def _as_tenant(pieces: Iterable[bytes], own: frozenset[int]) -> Iterator[bytes]:
    """The pieces, each made within the tenant; between them the thread belongs to nobody."""
    ahead = iter(pieces)
    while True:
        with reading_as(own):
            piece = next(ahead, None)
        if piece is None:
            return
        yield piece
