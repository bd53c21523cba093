"""What the forms of an organization's page share: reading fields, acting, going back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from muhafiz.common.refusal import Refusal
from muhafiz.constituency import directory
from muhafiz.constituency.facts import OrganizationPage
from muhafiz.web.addresses import asked_next
from muhafiz.web.desk.views.constituents import constituent_page
from muhafiz.web.refusals import sentence
from muhafiz.web.viewer import ViewedRequest


class BadEntry(Refusal):
    """A field of the form cannot be read."""

    text = "“{value}” is no date. Write it like 2026-11-23."


def asked_page(request: ViewedRequest, organization_id: int) -> OrganizationPage:
    """The organization as the viewer may know it.

    Raises:
        Http404: the viewer knows no such one.
    """
    found = directory.organization_page(organization_id, viewer=request.viewer, at=request.now)
    if found is None:
        raise Http404
    return found


def done(
    request: ViewedRequest, organization_id: int, form: str, act: Callable[[], str]
) -> HttpResponse:
    """Act and go back where the form came from; a refusal stands beside what was typed."""
    asked_page(request, organization_id)
    try:
        told = act()
    except Refusal as refusal:
        return constituent_page(request, organization_id, form=form, error=sentence(refusal))
    messages.success(request, told)
    page = reverse("constituent", args=[organization_id])
    return HttpResponseRedirect(asked_next(request, page))


def day(text: str) -> date | None:
    """The day in a field; None when it is empty.

    Raises:
        BadEntry: it is none.
    """
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise BadEntry(value=text[:40]) from None


def number(text: str) -> int | None:
    """The number in a field; None when it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None  # noqa: PLR2004 - 64 bits
