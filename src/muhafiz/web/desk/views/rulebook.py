"""The rulebook: every value with its source and dates; what is unknown says so."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from muhafiz.rulebook import queries
from muhafiz.rulebook.queries import ValueFacts
from muhafiz.web.viewer import ViewedRequest


def rulebook(request: ViewedRequest) -> HttpResponse:
    """Everything that holds now, by room, and the changes proposed."""
    rooms: dict[str, list[dict[str, Any]]] = {}
    unknown = 0
    for fact in queries.book(at=request.now):
        rooms.setdefault(fact.key.split(".")[0], []).append(_shown(fact))
        unknown += fact.unknown
    context = {
        "rooms": rooms,
        "unknown": unknown,
        "proposals": queries.proposals(limit=50),
        "here": "rulebook",
    }
    return render(request, "desk/rulebook.html", context)


def _shown(fact: ValueFacts) -> dict[str, Any]:
    value = fact.value
    plain = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return {"fact": fact, "plain": plain, "long": len(plain) > 200}  # noqa: PLR2004 - three lines of a table
