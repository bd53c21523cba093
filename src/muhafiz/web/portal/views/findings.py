"""Findings: the list, one of them, and both as files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from muhafiz.audit.actions.entries import record_read
from muhafiz.detection import queries
from muhafiz.detection.facts import FindingFacts, ResponseFacts
from muhafiz.detection.finding_rules import LONGEST_EXCEPTION_DAYS, STATES
from muhafiz.detection.own_notices import own_notices
from muhafiz.web.asking import Asked
from muhafiz.web.labels import SEVERITIES
from muhafiz.web.parts import Happening, filter_bar, pages, tabs
from muhafiz.web.plain_words import plain
from muhafiz.web.portal import words
from muhafiz.web.portal.files import assets_file, findings_file, trend_file
from muhafiz.web.portal.scope import Scope, scope_of
from muhafiz.web.portal.trend import Trend, trend
from muhafiz.web.viewer import ViewedRequest

_PAGE = 50
_MOST = 10_000  # findings in one file
_DAYS = 30
_NOTICES = 20
_NARROW = 380  # of the drawing beside the page
NEEDED = "open"
_VIEWS = ("open", "mine", "waiting", "over", "all")
#: view → the states it shows.
SHOWN: dict[str, tuple[str, ...]] = {
    "open": ("open",),
    "mine": ("acknowledged",),
    "waiting": ("not_ours", "excepted"),
    "over": ("fixed", "quiet"),
}


def wanted(asked: Asked, scope: Scope) -> queries.Wanted:
    """What the list's fields ask for."""
    state = asked.choice("state", (*_VIEWS, *STATES), NEEDED)
    severity = asked.choice("severity", tuple(SEVERITIES))
    return queries.Wanted(
        state=SHOWN.get(state, state) if state != "all" else None,
        severity=severity or None,
        type=asked.text("type") or None,
        organization_ids=scope.ids,
        text=asked.text("text"),
    )


def findings(request: ViewedRequest) -> HttpResponse:
    """Findings by what they need, the worst first."""
    asked = Asked(request.GET)
    scope = scope_of(request, asked)
    chosen = wanted(asked, scope)
    found = queries.findings(
        viewer=request.viewer,
        wanted=chosen,
        before=asked.text("before") or None,
        limit=_PAGE + 1,
    )
    older = queries.finding_mark(found[_PAGE - 1]) if len(found) > _PAGE else None
    types = queries.finding_types(viewer=request.viewer)
    context: dict[str, Any] = {
        "rows": words.rows(found[:_PAGE], scope.parts),
        "total": queries.count_findings(chosen, viewer=request.viewer),
        "pages": pages(request.GET, older=older),
        "tabs": _tabs(request, scope, asked),
        "bar": _bar(request, scope, asked),
        "scope": scope,
        "types": [(each, _named(each)) for each in types],
        "severities": [(code, word) for code, (word, _level) in SEVERITIES.items()],
        "asked": asked,
        "query": request.GET.urlencode(),
        "here": "portal-findings",
    }
    return render(request, "portal/findings/list.html", context, status=asked.status)


def _named(kind: str) -> str:
    return plain(kind, "", get_language() or "en").name


def _tabs(request: ViewedRequest, scope: Scope, asked: Asked) -> list[Any]:
    counts = queries.finding_counts(viewer=request.viewer, organization_ids=scope.ids)
    by_state: dict[str, int] = {}
    for (state, _severity), number in counts.items():
        by_state[state] = by_state.get(state, 0) + number
    sums = {view: sum(by_state.get(s, 0) for s in states) for view, states in SHOWN.items()}
    sums["all"] = sum(by_state.values())
    named = {
        "open": _("Needs an answer"),
        "mine": _("Being worked on"),
        "waiting": _("Not ours and exceptions"),
        "over": _("Over"),
        "all": _("All"),
    }
    here = asked.choice("state", (*_VIEWS, *STATES), NEEDED)
    choices = [(view, named[view], sums[view]) for view in _VIEWS]
    return tabs(request.GET, "state", choices, here=here, grave=("open",))


def _bar(request: ViewedRequest, scope: Scope, asked: Asked) -> Any:
    labels = {
        "text": _("Text"), "severity": _("Severity"), "type": _("Class"),
        "part": _("Part of the organization"),
    }  # fmt: skip
    names = dict(scope.choices())
    said: dict[str, Callable[[str], str]] = {
        "severity": lambda code: str(SEVERITIES[code][0]),
        "type": _named,
        "part": lambda code: names.get(code, code),
    }
    return filter_bar(request.GET, labels, words=said, errors=asked.errors)


def findings_out(request: ViewedRequest, form: str) -> HttpResponse:
    """What the list shows, whole, as a file."""
    asked = Asked(request.GET)
    scope = scope_of(request, asked)
    found = queries.findings(viewer=request.viewer, wanted=wanted(asked, scope), limit=_MOST)
    record(request, "detection.export_findings", "findings", {"findings": len(found)})
    return findings_file(found, scope, form)


def known(request: ViewedRequest, number: str) -> FindingFacts:
    """The finding of an address.

    Raises:
        Http404: there is none that the viewer may know of.
    """
    found = queries.finding_by_number(number, viewer=request.viewer)
    if found is None:
        raise Http404
    return found


def finding(request: ViewedRequest, number: str) -> HttpResponse:
    """One finding: what it is, what to do, which assets, what was answered."""
    found = known(request, number)
    asset = Asked(request.GET).text("asset")
    return render_finding(request, found, {"asset": asset}, {})


def render_finding(
    request: ViewedRequest,
    found: FindingFacts,
    typed: dict[str, str],
    errors: dict[str, str],
    status: int = 200,
) -> HttpResponse:
    """The finding's page with what was typed into its answer, and what was wrong with it."""
    record(request, "detection.read_finding", f"finding:{found.number}", {})
    scope = scope_of(request)
    history = queries.finding_history(found.id, viewer=request.viewer)
    today = request.now.date()
    context = {
        "finding": found,
        "row": words.rows([found], scope.parts)[0],
        "assets": [
            (each, words.STATES[each.state])
            for each in queries.finding_assets(found.id, viewer=request.viewer, now=request.now)
        ],
        "happenings": [*(_happening(each) for each in history), _first(found)],
        "trend": _trend(request, found, width=_NARROW),
        "notices": _notices(request, found),
        "typed": {"until": _default_until(request.now), **typed},
        "errors": errors,
        "answerable": not _settled(found),
        "rejected": _rejection(history, found),
        "earliest": today + timedelta(days=1),
        "latest": today + timedelta(days=LONGEST_EXCEPTION_DAYS),
        "here": "portal-finding",
    }
    return render(request, "portal/findings/page.html", context, status=status)


def _default_until(now: datetime) -> str:
    return (now + timedelta(days=30)).date().isoformat()


def _settled(found: FindingFacts) -> bool:
    return found.state == "quiet" or (found.state == "not_ours" and found.review == "accepted")


def _rejection(history: list[ResponseFacts], found: FindingFacts) -> str:
    """The CERT's words, where its no is why the finding is open."""
    if found.review != "rejected" or not history:
        return ""
    return next((each.reason for each in history if each.kind == "rejected"), "")


def _happening(line: ResponseFacts) -> Happening:
    told = str(words.HAPPENED.get(line.kind, line.kind))
    if line.asset:
        told = _("{what}, about {asset}").format(what=told, asset=f"\u2066{line.asset}\u2069")
    if line.until is not None:
        told = _("{what} until {day}").format(what=told, day=f"\u2066{line.until}\u2069")
    by = line.by_name if line.by_owner else ""
    return Happening(told, line.at, line.reason, by, look=words.LOOKS.get(line.kind, ""))


def _first(found: FindingFacts) -> Happening:
    return Happening(_("First seen"), found.first_seen)


def _notices(request: ViewedRequest, found: FindingFacts) -> list[Any]:
    """The notices of its class that its owner was sent since it was first seen."""
    every = own_notices(viewer=request.viewer, organization_ids={found.organization_id}, limit=200)
    name = f"{found.taxonomy}/{found.type}"
    told = [n for n in every if name in n.classes and n.created_at >= found.first_seen]
    return told[:_NOTICES]


def assets_out(request: ViewedRequest, number: str, form: str) -> HttpResponse:
    """A finding's assets as a file, live values."""
    found = known(request, number)
    assets = queries.finding_assets(found.id, viewer=request.viewer, now=request.now, limit=_MOST)
    record(request, "detection.export_assets", f"finding:{found.number}", {"assets": len(assets)})
    return assets_file(found, assets, form)


def days_out(request: ViewedRequest, number: str, form: str) -> HttpResponse:
    """A finding's days as a drawing, or as its numbers."""
    found = known(request, number)
    record(request, "detection.export_days", f"finding:{found.number}", {"form": form})
    return trend_file(_trend(request, found), f"{found.number}-days", form)


def _trend(request: ViewedRequest, found: FindingFacts, **size: float) -> Trend | None:
    today = request.now.date()
    first = today - timedelta(days=_DAYS - 1)
    days = queries.finding_days(found.id, viewer=request.viewer, since=first)
    return trend(days, first=first, last=today, **size)


def back_to_list() -> str:
    """Where an answer from the list leads when it does not say."""
    return reverse("portal-findings")


def record(request: ViewedRequest, action: str, subject: str, details: dict[str, Any]) -> None:
    """Write down that somebody read this, before it is shown."""
    record_read(
        actor=request.viewer, now=request.now, action=action, subject=subject, details=details
    )
