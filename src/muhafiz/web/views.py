"""Views of lists that people keep: saved and forgotten from any list, which then stands again."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from muhafiz.accounts.actions.views import forget_view, save_view
from muhafiz.common.refusal import Refusal
from muhafiz.web.addresses import asked_next
from muhafiz.web.refusals import sentence


@require_POST
def view_save(request: HttpRequest) -> HttpResponse:
    """Keep a list's filters under a name."""
    viewer = request.viewer  # type: ignore[attr-defined]  # ViewerMiddleware
    if viewer is None:
        return HttpResponseRedirect("/")
    try:
        save_view(
            page=request.POST.get("page", ""),
            name=request.POST.get("name", ""),
            query=request.POST.get("query", ""),
            shared="shared" in request.POST,
            actor=viewer,
            now=request.now,  # type: ignore[attr-defined]  # ViewerMiddleware
        )
    except Refusal as refusal:
        messages.error(request, sentence(refusal))
    else:
        messages.success(request, _("The view is saved."))
    return HttpResponseRedirect(asked_next(request))


@require_POST
def view_forget(request: HttpRequest, view_id: int) -> HttpResponse:
    """Remove one of one's own views."""
    viewer = request.viewer  # type: ignore[attr-defined]  # ViewerMiddleware
    if viewer is None:
        return HttpResponseRedirect("/")
    forget_view(view_id=view_id, actor=viewer, now=request.now)  # type: ignore[attr-defined]  # as above
    messages.success(request, _("The view is removed."))
    return HttpResponseRedirect(asked_next(request))
