"""The rulebook: every value with its source and dates; changes proposed by one, decided by two."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from muhafiz.common.refusal import Refusal
from muhafiz.rulebook import queries
from muhafiz.rulebook.actions.proposals import approve_value, propose_value, reject_value
from muhafiz.rulebook.queries import ProposalFacts, ValueFacts
from muhafiz.rulebook.rules import STANDINGS, BadValue, known_keys
from muhafiz.web.desk.asking import Asked
from muhafiz.web.parts import filter_bar
from muhafiz.web.refusals import sentence
from muhafiz.web.viewer import ViewedRequest

_LONG = 200  # letters of a value that fill three lines of a table
_PLAIN = frozenset({"text", "timezone"})  # kinds whose value is typed as it is
_LABELS = {"text": gettext_lazy("Search"), "only": gettext_lazy("Only")}
ONLY = {
    "unknown": gettext_lazy("Marked unknown"),
    "local": gettext_lazy("Agreed here"),
    "missing": gettext_lazy("Without any value"),
}
STANDING_WORDS = {
    "S": gettext_lazy("Stated by the source"),
    "I": gettext_lazy("Inferred"),
    "U": gettext_lazy("Uncorroborated"),
}


def rulebook(request: ViewedRequest) -> HttpResponse:
    """Everything that holds now, by room, and the changes proposed."""
    asked = Asked(request.GET)
    text, only = asked.text("text").lower(), asked.choice("only", tuple(ONLY))
    found = queries.book(at=request.now)
    rooms: dict[str, list[dict[str, Any]]] = {}
    for fact in found:
        if _matches(fact, text, only):
            rooms.setdefault(fact.key.split(".")[0], []).append(shown(fact))
    missing = sorted(set(known_keys()) - {fact.key for fact in found})
    context = {
        "rooms": rooms,
        "unknown": sum(fact.unknown for fact in found),
        "missing": [known_keys()[key] for key in missing if text in key.lower()]
        if only in {"", "missing"}
        else [],
        "proposals": queries.proposals(limit=50),
        "choices": ONLY,
        "bar": filter_bar(
            request.GET, _LABELS, words={"only": lambda code: ONLY[code]}, errors=asked.errors
        ),
        "only": only,
        "asked": asked,
        "here": "rulebook",
    }
    return render(request, "desk/rulebook/list.html", context, status=asked.status)


def _matches(fact: ValueFacts, text: str, only: str) -> bool:
    whole = f"{fact.key} {fact.meaning} {fact.source} {plain(fact.value)}".lower()
    chosen = {"": True, "unknown": fact.unknown, "local": fact.origin == "local", "missing": False}
    return chosen[only] and text in whole


def shown(fact: ValueFacts) -> dict[str, Any]:
    """A value for the page."""
    told = plain(fact.value)
    return {"fact": fact, "plain": told, "long": len(told) > _LONG}


def plain(value: Any) -> str:
    """A value as people read it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def rulebook_key(request: ViewedRequest, key: str) -> HttpResponse:
    """One key: what holds, everything that ever held, and the form to propose another value."""
    return _page(request, key, {})


def rulebook_propose(request: ViewedRequest, key: str) -> HttpResponse:
    """Propose a value; another person decides."""
    if key not in known_keys():
        raise Http404
    given = request.POST
    try:
        unknown = bool(given.get("unknown"))
        propose_value(
            key=key,
            value=None if unknown else _value(key, given.get("value", "")),
            source=given.get("source", ""),
            standing=given.get("standing", ""),
            note=given.get("note", ""),
            valid_from=_day(key, given.get("valid_from", "")),
            valid_to=_day(key, given.get("valid_to", "")),
            unknown=unknown,
            actor=request.viewer,
            now=request.now,
        )
    except BadValue as refusal:
        return _page(request, key, given, error=sentence(refusal))
    messages.success(request, _("The change is proposed. Another person decides on it."))
    return redirect("rulebook-key", key)


def rulebook_decide(request: ViewedRequest, proposal_id: int) -> HttpResponse:
    """Approve or reject a proposal; never one's own."""
    found = queries.proposal(proposal_id)
    if found is None:
        raise Http404
    approve = request.POST.get("act") == "approve"
    reason = request.POST.get("reason", "")
    try:
        if approve:
            approve_value(
                proposal_id=proposal_id, reason=reason, actor=request.viewer, now=request.now
            )
        elif not reason.strip():
            return _page(request, found.key, {}, error=_("A rejection needs its reason."))
        else:
            reject_value(
                proposal_id=proposal_id, reason=reason, actor=request.viewer, now=request.now
            )
    except Refusal as refusal:
        return _page(request, found.key, {}, error=sentence(refusal), status=409)
    told = _("The value holds from its day on.") if approve else _("The proposal was rejected.")
    messages.success(request, told)
    return _back(found)


def _back(found: ProposalFacts) -> HttpResponseRedirect:
    return redirect("rulebook-key", found.key)


def _value(key: str, text: str) -> Any:
    """The value as typed: texts as they are, everything else as JSON.

    Raises:
        BadValue: it is no JSON.
    """
    if known_keys()[key].kind in _PLAIN:
        return text.strip()
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as wrong:
        raise BadValue(key=key, problem=f"it is no JSON: {wrong}") from wrong


def _day(key: str, text: str) -> datetime | None:
    if not text.strip():
        return None
    try:
        day = datetime.strptime(text.strip(), "%Y-%m-%d").replace(tzinfo=UTC).date()
        zone = timezone.get_current_timezone()
        return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError) as wrong:
        raise BadValue(key=key, problem=f"“{text[:40]}” is no date.") from wrong


def _page(
    request: ViewedRequest, key: str, typed: Mapping[str, Any], *, error: str = "", status: int = 0
) -> HttpResponse:
    known, history = known_keys().get(key), queries.history(key)
    if known is None and not history:
        raise Http404
    holding = queries.fact(key, at=request.now)
    is_plain = known is not None and known.kind in _PLAIN
    value = holding.value if holding is not None and not holding.unknown else ""
    pretty = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
    decided = [each for each in queries.proposals(state=None, limit=500) if each.key == key]
    context = {
        "key": key,
        "known": known,
        "is_plain": is_plain,
        "holding": shown(holding) if holding is not None else None,
        "pretty": pretty,
        "history": [shown(each) for each in history],
        "open": [_proposed(each, request) for each in decided if each.state == "proposed"],
        "decided": [each for each in decided if each.state != "proposed"][:20],
        "standings": {code: STANDING_WORDS[code] for code in STANDINGS},
        "typed": typed or {"value": pretty, "standing": "S"},
        "error": error,
        "here": "rulebook-key",
    }
    code = status or (400 if error else 200)
    return render(request, "desk/rulebook/key.html", context, status=code)


def _proposed(each: ProposalFacts, request: ViewedRequest) -> dict[str, Any]:
    return {
        "proposal": each,
        "plain": plain(each.value),
        "mine": each.proposed_by == str(request.viewer),
    }
