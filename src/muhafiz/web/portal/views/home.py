"""To do: what is wrong at our networks now, and what waits for us."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from muhafiz.constituency import holdings
from muhafiz.constituency.facts import ContactFacts
from muhafiz.detection import queries
from muhafiz.detection.facts import FindingFacts
from muhafiz.web.asking import Asked
from muhafiz.web.parts import Task
from muhafiz.web.portal import keys
from muhafiz.web.portal.scope import Scope, scope_of
from muhafiz.web.portal.trend import trend
from muhafiz.web.portal.words import COMPROMISED, EXPOSED, Row, rows
from muhafiz.web.viewer import ViewedRequest

_URGENT = 5  # findings shown on the page itself
_DAYS = 30
_GRAVE = ("critical", "high")


def home(request: ViewedRequest) -> HttpResponse:
    """The first page: what needs an answer, what changed, what is due."""
    asked = Asked(request.GET)
    scope = scope_of(request, asked)
    pending = queries.findings(
        viewer=request.viewer,
        state=("open", "acknowledged"),
        organization_ids=scope.ids,
        limit=1000,
    )
    waiting = [each for each in pending if each.state == "open"]
    today = request.now.date()
    first = today - timedelta(days=_DAYS - 1)
    days = queries.exposure_history(viewer=request.viewer, since=first, organization_ids=scope.ids)
    context = {
        "scope": scope,
        "waiting": waiting,
        "grave": sum(each.severity in _GRAVE for each in waiting),
        "urgent": rows(waiting[:_URGENT], scope.parts),
        "more": max(0, len(waiting) - _URGENT),
        "figures": _figures(pending),
        "tasks": _tasks(request, scope, waiting),
        "week": _week(request, scope),
        "trend": trend(days, first=first, last=today),
        "here": "portal",
    }
    return render(request, "portal/home.html", context, status=asked.status)


def _figures(pending: Sequence[FindingFacts]) -> dict[str, int]:
    """Assets that somebody is in already, that stand open, and the rest."""
    sums = {"compromised": 0, "exposed": 0, "other": 0}
    for each in pending:
        kind = (
            "compromised"
            if each.taxonomy in COMPROMISED
            else "exposed"
            if each.taxonomy in EXPOSED
            else "other"
        )
        sums[kind] += each.assets
    return sums


def _week(request: ViewedRequest, scope: Scope) -> dict[str, list[Row]]:
    """What is new, gone and worse since last week."""
    found = queries.changes_of_week(viewer=request.viewer, now=request.now)
    every = queries.findings_with_ids(
        {*found.new, *found.gone, *found.worse}, viewer=request.viewer
    )
    chosen = [e for e in every if scope.ids is None or e.organization_id in scope.ids]
    return {
        name: rows([e for e in chosen if e.id in ids], scope.parts)
        for name, ids in (("new", found.new), ("worse", found.worse), ("gone", found.gone))
    }


def _tasks(request: ViewedRequest, scope: Scope, waiting: Sequence[FindingFacts]) -> list[Task]:
    """What waits for these people, the gravest first."""
    del scope
    contacts = holdings.own_contacts(viewer=request.viewer)
    asked = holdings.open_requests(viewer=request.viewer)
    tasks = [_answer_task(waiting)]
    tasks += _contact_tasks(contacts, request.now)
    if asked:
        told = ngettext("{n} request is under review", "{n} requests are under review", len(asked))
        words = told.format(n=len(asked))
        tasks.append(Task(words, "waiting", reverse("portal-holdings")))
    return tasks


def _answer_task(waiting: Sequence[FindingFacts]) -> Task:
    if not waiting:
        return Task(_("Every finding has an answer"), "done", reverse("portal-findings"))
    grave = any(each.severity in _GRAVE for each in waiting)
    told = ngettext("Answer {n} finding", "Answer {n} findings", len(waiting))
    return Task(
        told.format(n=len(waiting)),
        "failed" if grave else "next",
        reverse("portal-findings") + "?state=open",
    )


def _contact_tasks(contacts: Sequence[ContactFacts], now: datetime) -> list[Task]:
    place = reverse("portal-contacts")
    if not contacts:
        return [Task(_("Tell us whom to write to"), "failed", reverse("portal-contact-new"))]
    stale = sum(holdings.unconfirmed(each, at=now) for each in contacts)
    expiring = [each for each in contacts if keys.expires_soon(each, now)]
    tasks = []
    if stale:
        told = ngettext("Confirm {n} contact", "Confirm {n} contacts", stale).format(n=stale)
        tasks.append(
            Task(told, "next", place, _("Nobody has said for 90 days that it is still right."))
        )
    else:
        tasks.append(Task(_("All contacts are confirmed"), "done", place))
    if expiring:
        told = ngettext("Renew {n} key", "Renew {n} keys", len(expiring)).format(n=len(expiring))
        hint = _("After it expires our letters to it go out unencrypted or not at all.")
        tasks.append(Task(told, "failed", place, hint))
    return tasks
