"""The audit trail: who did what, the proof of each entry, and whether the log is whole."""

from __future__ import annotations

import json
import tempfile
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import FileResponse, Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from muhafiz.audit import queries
from muhafiz.audit.actions.entries import record_read
from muhafiz.jobs import queries as jobs
from muhafiz.jobs.actions.queue import enqueue_job
from muhafiz.jobs.rules import ACTIVE
from muhafiz.jobs.scheduler import timed_key
from muhafiz.keyring.audit_checks import VERIFY_JOB, last_check
from muhafiz.web.desk.asking import Asked
from muhafiz.web.parts import filter_bar, pages
from muhafiz.web.viewer import ViewedRequest

_PAGE = 100
_PROVED = 200_000  # entries of a log that a page proves one of while somebody waits
_LOOKED_BACK = timedelta(days=30)  # a text is looked for, unless dates are given
_LABELS = {
    "action": gettext_lazy("Action"),
    "subject": gettext_lazy("Subject"),
    "actor": gettext_lazy("Actor"),
    "text": gettext_lazy("Details"),
    "since": gettext_lazy("From"),
    "until": gettext_lazy("Until"),
}


def audit(request: ViewedRequest) -> HttpResponse:
    """Entries, the newest first."""
    asked = Asked(request.GET)
    text, since, until = asked.text("text"), asked.day("since"), asked.day("until")
    rows = queries.entries(
        subject=asked.text("subject") or None,
        action=asked.text("action") or None,
        actor=asked.text("actor") or None,
        text=text,
        since=_beginning(request.now, since, text=bool(text)),
        until=until + timedelta(days=1) if until is not None else None,
        before=asked.whole("before"),
        limit=_PAGE + 1,
    )
    older = rows[_PAGE - 1].index if len(rows) > _PAGE else None
    context = {
        "rows": rows[:_PAGE],
        "pages": pages(request.GET, older=older),
        "bar": filter_bar(request.GET, _LABELS, codes=_LABELS, errors=asked.errors),
        "head": queries.current_head(),
        "signed": queries.signed_heads(limit=1),
        "check": last_check(),
        "looked_back": _LOOKED_BACK.days if text and since is None else None,
        "asked": asked,
        "here": "audit",
    }
    return render(request, "desk/audit/list.html", context, status=asked.status)


def _beginning(now: datetime, since: datetime | None, *, text: bool) -> datetime | None:
    return since if since is not None or not text else now - _LOOKED_BACK


def audit_entry(request: ViewedRequest, index: int) -> HttpResponse:
    """One entry as it was hashed, and the proof that it stands in the tree."""
    found = queries.entry(index)
    if found is None:
        raise Http404
    context = {
        "entry": found,
        "line": found.line().decode("utf-8", "backslashreplace"),
        "details": _details(found.details),
        "proof": queries.inclusion(index, most=_PROVED),
        "head": queries.current_head(),
        "newer": index + 1,
        "older": index - 1,
        "here": "audit-entry",
    }
    return render(request, "desk/audit/entry.html", context)


def _details(text: str) -> list[tuple[str, Any]]:
    try:
        found: Any = json.loads(text)
    except ValueError:
        return []
    return list(found.items()) if isinstance(found, dict) else []


def audit_verify(request: ViewedRequest) -> HttpResponseRedirect:
    """Queue the hashing of the whole log; its job tells how far it has come and what it found."""
    job = enqueue_job(
        VERIFY_JOB, {}, actor=request.viewer, now=request.now, unique_key=timed_key(VERIFY_JOB)
    )
    found = jobs.job(job)
    if found is not None and found.state in ACTIVE:
        messages.success(request, _("Job {job} verifies the whole log.").format(job=job))
    return redirect("audit")


def audit_export(request: ViewedRequest) -> FileResponse:
    """The whole log as JSON Lines, for the verifier that runs without this platform."""
    with transaction.atomic():
        record_read(actor=request.viewer, now=request.now, action="audit.export", subject="audit")
    kept = tempfile.TemporaryFile(prefix="muhafiz-audit-")  # noqa: SIM115 - the answer closes it
    head = queries.export(kept)
    kept.seek(0)
    answer = FileResponse(
        kept,
        as_attachment=True,
        filename=f"audit-{head.size}.jsonl",
        content_type="application/x-ndjson",
    )
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer
