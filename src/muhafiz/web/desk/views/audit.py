"""The audit trail: who did what, and whether the log is whole."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from muhafiz.audit import queries
from muhafiz.web.desk.asking import Asked
from muhafiz.web.viewer import ViewedRequest

_PAGE = 100


def audit(request: ViewedRequest) -> HttpResponse:
    """Entries, the newest first."""
    asked = Asked(request.GET)
    return render(request, "desk/audit.html", _context(asked), status=asked.status)


def audit_verify(request: ViewedRequest) -> HttpResponse:
    """Recompute the whole tree from the entries and say what is found."""
    context = _context(Asked({})) | {"verdict": queries.verdict()}
    return render(request, "desk/audit.html", context)


def _context(asked: Asked) -> dict[str, Any]:
    rows = queries.entries(
        subject=asked.text("subject") or None,
        action=asked.text("action") or None,
        actor=asked.text("actor") or None,
        before=asked.whole("before"),
        limit=_PAGE + 1,
    )
    return {
        "rows": rows[:_PAGE],
        "more": rows[_PAGE - 1].index if len(rows) > _PAGE else None,
        "head": queries.current_head(),
        "signed": queries.signed_heads(limit=1),
        "asked": asked,
        "here": "audit",
    }
