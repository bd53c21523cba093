"""Policies: who is told what and how often; edited, tried on the past, and let hold."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from muhafiz.common.refusal import Refusal
from muhafiz.constituency.cares import standing_names
from muhafiz.constituency.queries import organizations
from muhafiz.detection import queries
from muhafiz.detection.actions.policies import end_policy, write_policy
from muhafiz.detection.actions.simulations import queue_simulation
from muhafiz.detection.facts import PolicyFacts
from muhafiz.detection.rules import CADENCES, BadPolicy, Policy
from muhafiz.formats import tlp
from muhafiz.jobs import queries as jobs
from muhafiz.jobs.rules import ACTIVE
from muhafiz.web.desk.asking import Asked
from muhafiz.web.place import sector_names
from muhafiz.web.refusals import sentence
from muhafiz.web.viewer import ViewedRequest

_FIELDS = ("code", "title", "classes", "feed", "sector", "cadence", "tlp")
_NUMBERS = ("threshold", "resend_days", "organization_id")
_DAYS = 30
_PAGE = 50


def policies(request: ViewedRequest) -> HttpResponse:
    """The policies in force, what waits for each, and what was tried lately."""
    found = queries.policies()
    waiting = queries.waiting_events()
    context = {
        "policies": [(each, waiting.get(each.code, 0)) for each in found],
        "unmatched": waiting.get("", 0),
        "runs": queries.runs(limit=12),
        "simulations": queries.simulations(limit=8),
        "sectors": sector_names(request.now),
        "here": "policies",
    }
    return render(request, "desk/policies/list.html", context)


def policy(request: ViewedRequest, code: str) -> HttpResponse:
    """One policy: its form, and all its versions."""
    history = queries.policy_history(code)
    if not history:
        raise Http404
    return _page(request, _typed(history[0]), history=history)


def policy_new(request: ViewedRequest) -> HttpResponse:
    """The form for a policy that is not there yet."""
    blank = Policy("", "daily")
    return _page(request, _typed(blank))


def _typed(found: PolicyFacts | Policy) -> dict[str, Any]:
    names = (*_FIELDS, *_NUMBERS, "attach_xarf")
    return {name: getattr(found, name, "") for name in names}


def policy_try(request: ViewedRequest) -> HttpResponse:
    """Queue the trial of the policy as typed; its page shows how far it has come."""
    asked = Asked(request.POST)
    days = asked.whole("days", most=365) or _DAYS
    try:
        number = queue_simulation(
            policy=_read(asked),
            title=asked.text("title"),
            days=days,
            actor=request.viewer,
            now=request.now,
        )
    except BadPolicy as refusal:
        return _refused(request, asked, refusal)
    return redirect("simulation", number)


def policy_keep(request: ViewedRequest) -> HttpResponse:
    """Let the policy as typed hold from now on, as a new version."""
    asked = Asked(request.POST)
    try:
        read = _read(asked)
        write_policy(
            policy=read,
            title=asked.text("title") or read.code,
            actor=request.viewer,
            now=request.now,
        )
    except BadPolicy as refusal:
        return _refused(request, asked, refusal)
    messages.success(request, _("The policy holds from now on. Its earlier version is kept."))
    return redirect("policy", read.code)


def policy_end(request: ViewedRequest, code: str) -> HttpResponse | HttpResponseRedirect:
    """End a policy; what waits for it is sorted anew by those that remain."""
    try:
        end_policy(
            code=code,
            reason=request.POST.get("reason", ""),
            actor=request.viewer,
            now=request.now,
        )
    except Refusal as refusal:
        history = queries.policy_history(code)
        if not history:
            raise Http404 from None
        return _page(request, _typed(history[0]), history=history, error=sentence(refusal))
    messages.success(request, _("The policy was ended."))
    return redirect("policies")


def _read(asked: Asked) -> Policy:
    """The policy as typed.

    Raises:
        BadPolicy: a number is none.
    """
    numbers = {name: asked.whole(name, most=10**9) for name in _NUMBERS}
    if asked.errors:
        raise BadPolicy(reason="a field holds no number, or is too long.")
    return Policy(
        code=asked.text("code"),
        cadence=asked.text("cadence"),
        classes=asked.text("classes") or "*",
        feed=asked.text("feed") or "*",
        sector=asked.text("sector"),
        organization_id=numbers["organization_id"],
        threshold=1 if numbers["threshold"] is None else numbers["threshold"],
        resend_days=7 if numbers["resend_days"] is None else numbers["resend_days"],
        attach_xarf=bool(asked.text("attach_xarf")),
        tlp=asked.text("tlp"),
    )


def _refused(request: ViewedRequest, asked: Asked, refusal: Refusal) -> HttpResponse:
    history = queries.policy_history(asked.raw.get("code", ""))
    return _page(request, request.POST, history=history, error=sentence(refusal))


def _page(
    request: ViewedRequest,
    typed: Mapping[str, Any],
    *,
    history: list[PolicyFacts] | None = None,
    error: str = "",
) -> HttpResponse:
    chosen = str(typed.get("organization_id") or "")
    context = {
        "typed": typed,
        "history": history or [],
        "ended": bool(history and history[0].valid_to is not None),
        "cadences": CADENCES,
        "labels": [label for label in tlp.LABELS if label != tlp.RED],
        "sectors": sector_names(request.now),
        "organizations": standing_names(viewer=request.viewer),
        "chosen": int(chosen) if chosen.isdecimal() else None,
        "error": error,
        "days": typed.get("days") or _DAYS,
        "here": "policy",
    }
    status = 400 if error else 200
    return render(request, "desk/policies/form.html", context, status=status)


def simulation(request: ViewedRequest, simulation_id: int) -> HttpResponse:
    """Who would have got what: how far the trial has come, then what it found."""
    found = queries.simulation(simulation_id)
    if found is None:
        raise Http404
    asked = Asked(request.GET)
    after = asked.whole("after") or 0
    job = jobs.job(found.job_id) if found.job_id is not None else None
    owners = found.result["owners"] if found.result else []
    shown = owners[after : after + _PAGE]
    context = {
        "simulation": found,
        "job": job,
        "again": found.result is None and job is not None and job.state in ACTIVE,
        "since": found.made_at - timedelta(days=found.days),
        "owners": shown,
        "named": organizations(each["organization_id"] for each in shown),
        "more": after + _PAGE if len(owners) > after + _PAGE else None,
        "decisions": _decisions(found.result) if found.result else [],
        "here": "simulation",
    }
    part = "live" if "HX-Request" in request.headers else "simulation"
    return render(request, f"desk/policies/{part}.html", context, status=asked.status)


def _decisions(result: Mapping[str, Any]) -> list[tuple[str, int, int]]:
    before = result["before"]["decisions"] if result["before"] else {}
    after = result["after"]["decisions"]
    names = [*before, *(name for name in after if name not in before)]
    return [(name, before.get(name, 0), after.get(name, 0)) for name in sorted(names)]
