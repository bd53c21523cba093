"""Before a grave act the person proves again who they are; what they typed is kept meanwhile.

1. A POST that is not fresh is put aside in the session, and the browser sent to prove who is there.
2. Afterwards a page offers to go on: it sends what was put aside, through the same door as before.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, Final

from allauth.account.adapter import get_adapter
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from muhafiz.accounts.queries import Visit

View = Callable[..., HttpResponseBase]

#: A proof of who is there is good for so long.
FRESH_FOR: Final = timedelta(minutes=10)
#: The session's key that holds the act put aside.
HELD: Final = "held-act"

_SLACK: Final = timedelta(minutes=1)
_MOST_BYTES: Final = 100_000


def needs_fresh(view: View) -> View:
    """The view, whose POST is done only by somebody who proved lately who they are."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method != "POST" or is_fresh(request):
            return view(request, *args, **kwargs)
        hold(request)
        return confirm_first(request)

    return answer


def is_fresh(request: HttpRequest) -> bool:
    """Whether the person proved within the last minutes who they are."""
    visit: Visit | None = getattr(request, "visit", None)
    if visit is None:
        return False
    now: datetime = request.now  # type: ignore[attr-defined]  # ViewerMiddleware
    return -_SLACK <= now - visit.confirmed_at < FRESH_FOR


def hold(request: HttpRequest) -> None:
    """Put the act aside; one that is too large is not, and must be typed again."""
    body = request.POST.copy()
    body.pop("csrfmiddlewaretoken", None)
    fields = [[name, value] for name, values in body.lists() for value in values]
    size = sum(len(name) + len(str(value)) for name, value in fields)
    request.session[HELD] = {
        "path": request.get_full_path(),
        "fields": fields if size <= _MOST_BYTES else [],
    }


def confirm_first(request: HttpRequest) -> HttpResponseRedirect:
    """To the page where the person proves who they are, and from there on to what was held."""
    with transaction.atomic():  # past the tenant's own view of the database: it is about oneself
        methods = get_adapter(request).get_reauthentication_methods(request.user)
    place = methods[0]["url"] if methods else reverse("sign-in-again")
    return HttpResponseRedirect(f"{place}?{urlencode({'next': reverse('go-on')})}")
