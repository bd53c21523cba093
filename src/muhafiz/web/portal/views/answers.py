"""Answers: on the finding's page, or to several on the list. Grave ones are checked first."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from muhafiz.common.refusal import Refusal
from muhafiz.detection import queries
from muhafiz.detection.actions.findings import respond_to_finding, respond_to_findings
from muhafiz.detection.facts import FindingFacts
from muhafiz.detection.finding_rules import (
    REASONED,
    answer_named,
    check_response,
    checked_reason,
)
from muhafiz.web.asking import Asked
from muhafiz.web.portal import words
from muhafiz.web.portal.scope import scope_of
from muhafiz.web.portal.views.findings import back_to_list, known, render_finding, wanted
from muhafiz.web.refusals import sentence
from muhafiz.web.viewer import ViewedRequest

_MOST = 1_000  # findings answered at once
_FIELDS = ("response", "asset", "until", "reason")


def answer(request: ViewedRequest, number: str) -> HttpResponse:
    """Take an answer to one finding; “not ours” and exceptions after one more look."""
    found = known(request, number)
    asked = Asked(request.POST)
    typed = {name: request.POST.get(name, "") for name in _FIELDS}
    response, asset = asked.text("response"), asked.text("asset")
    until = asked.date("until") if response == "except" else None
    reason = asked.prose("reason")
    if asked.errors:
        return render_finding(request, found, typed, asked.errors, 400)
    try:
        named = answer_named(response)
        check_response(
            named, number=found.number, state=found.state, review=found.review,
            until=until, today=request.now.date(),
        )  # fmt: skip
        checked_reason(named, reason)
        if named in REASONED and request.POST.get("checked") != "yes":
            return _check(request, [found], typed, request.path)
        respond_to_finding(
            finding_id=found.id, response=named, asset=asset or None, until=until,
            reason=reason, actor=request.viewer, now=request.now,
        )  # fmt: skip
    except Refusal as refusal:
        field = "until" if response == "except" and "day" in str(refusal) else "reason"
        return render_finding(request, found, typed, {field: sentence(refusal)}, 409)
    messages.success(request, str(words.ANSWERED[named]))
    return redirect("portal-finding", found.number)


def answer_many(request: ViewedRequest) -> HttpResponse:
    """Take one answer to the chosen findings, or to all that match the filters."""
    query = QueryDict(request.POST.get("query", ""))
    chosen = _chosen(request, query)
    back = HttpResponseRedirect(f"{back_to_list()}?{query.urlencode()}")
    asked = Asked(request.POST)
    typed = {name: request.POST.get(name, "") for name in _FIELDS}
    if not chosen:
        messages.error(request, _("Choose at least one finding first."))
        return back
    response, reason = asked.text("response"), asked.prose("reason")
    until = asked.date("until") if response == "except" else None
    grave = response in REASONED and request.POST.get("checked") != "yes"
    if asked.errors or grave:
        return _check(request, chosen, typed, request.path, dict(asked.errors))
    try:
        count = respond_to_findings(
            finding_ids=[each.id for each in chosen], response=response, until=until,
            reason=reason, actor=request.viewer, now=request.now,
        )  # fmt: skip
    except Refusal as refusal:
        if response in REASONED:
            errors = {"reason": sentence(refusal)}
            return _check(request, chosen, typed, request.path, errors)
        messages.error(request, sentence(refusal))
        return back
    told = ngettext("{n} finding answered.", "{n} findings answered.", count)
    messages.success(request, told.format(n=count))
    return back


def _chosen(request: ViewedRequest, query: QueryDict) -> list[FindingFacts]:
    if request.POST.get("scope") == "all":
        asked = Asked(query)
        every = wanted(asked, scope_of(request, asked))
        return queries.findings(viewer=request.viewer, wanted=every, limit=_MOST)
    numbers = request.POST.getlist("item")[:_MOST]
    found = [queries.finding_by_number(each, viewer=request.viewer) for each in numbers]
    if None in found:
        raise Http404
    return [each for each in found if each is not None]


def _check(
    request: ViewedRequest,
    found: Sequence[FindingFacts],
    typed: dict[str, str],
    address: str,
    errors: dict[str, str] | None = None,
) -> HttpResponse:
    """One more look before an answer that has consequences."""
    many = address.endswith("/answer/") and "item" in request.POST
    context = {
        "rows": words.rows(found, scope_of(request).parts),
        "typed": typed,
        "address": address,
        "errors": errors or {},
        "many": many or request.POST.get("scope") == "all",
        "items": request.POST.getlist("item"),
        "all": request.POST.get("scope") == "all",
        "query": request.POST.get("query", ""),
        "here": "portal-finding",
    }
    return render(request, "portal/findings/check.html", context, status=400 if errors else 200)
