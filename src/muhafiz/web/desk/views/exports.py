"""Taking events along: what would leave, the work under way, the files for a day."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from muhafiz.common.refusal import Refusal
from muhafiz.lake import queries as lake
from muhafiz.lake.actions.exports import cancel_export, hand_out_export, request_export
from muhafiz.lake.export_queries import exports
from muhafiz.lake.export_rules import COLUMNS, FORMATS, KEPT, ceiling
from muhafiz.lake.query import EventQuery
from muhafiz.web.desk.explorer.filters import Reading, read_query
from muhafiz.web.desk.explorer.pills import changed
from muhafiz.web.refusals import sentence
from muhafiz.web.viewer import ViewedRequest

_SECONDS = 30.0  # of counting what would leave
_LABELS = 20


def export_list(request: ViewedRequest) -> HttpResponse:
    """The viewer's own exports, those under way with their progress."""
    return render(request, "desk/exports/list.html", _listed(request))


def export_live(request: ViewedRequest) -> HttpResponse:
    """The list alone, for a page that asks again while work is under way."""
    return render(request, "desk/exports/live.html", _listed(request))


def _listed(request: ViewedRequest) -> dict[str, Any]:
    mine = exports(viewer=request.viewer, now=request.now)
    return {
        "here": "exports",
        "exports": mine,
        "under_way": any(each.under_way for each in mine),
        "hours": int(KEPT.total_seconds() // 3600),
    }


def export_new(request: ViewedRequest) -> HttpResponse:
    """How many events would leave under which label, and how many may not; nothing is done yet."""
    reading = read_query(request.GET, viewer=request.viewer, now=request.now)
    return _form(request, reading, request.GET)


def export_ask(request: ViewedRequest) -> HttpResponse:
    """Ask for the file; the same page again, with the reason, when it cannot be."""
    params = QueryDict(request.POST.get("query", "")[:4000])
    reading = read_query(params, viewer=request.viewer, now=request.now)
    if reading.query is None or reading.asked.errors:
        return _form(request, reading, params)
    try:
        request_export(
            reading.query,
            format=request.POST.get("format", ""),
            columns=request.POST.getlist("column") or COLUMNS,
            counts=_counts(reading.query),
            told=changed(params)[1:],
            actor=request.viewer,
            now=request.now,
        )
    except Refusal as refusal:
        return _form(request, reading, params, refusal=sentence(refusal))
    messages.success(request, _("The file is being written. You may leave; it will wait here."))
    return redirect("exports")


def _form(
    request: ViewedRequest, reading: Reading, params: QueryDict, *, refusal: str = ""
) -> HttpResponse:
    context: dict[str, Any] = {
        "here": "exports",
        "errors": reading.asked.errors,
        "refusal": refusal,
        "query_text": changed(params)[1:],
        "back": f"{reverse('events')}{changed(params)}",
        "formats": list(FORMATS),
        "format": request.POST.get("format", "csv"),
        "columns": [(name, name in request.POST.getlist("column")) for name in COLUMNS],
        "hours": int(KEPT.total_seconds() // 3600),
    }
    status = 400 if refusal or reading.asked.errors else 200
    if reading.query is not None and not reading.asked.errors:
        try:
            label, leaving, staying = ceiling(_counts(reading.query))
        except Refusal as slow:
            return render(
                request, "desk/exports/new.html", context | {"refusal": sentence(slow)}, status=503
            )
        context |= {"label": label, "leaving": leaving, "staying": staying}
    return render(request, "desk/exports/new.html", context, status=status)


def _counts(query: EventQuery) -> dict[str | None, int]:
    """Events per TLP label, as the gate will see them."""
    counted = lake.top(query, "tlp", limit=_LABELS, seconds=_SECONDS)
    return {None if each.value is None else str(each.value): each.events for each in counted}


def export_cancel(request: ViewedRequest, export_id: UUID) -> HttpResponse:
    """Stop the writing, or delete the file before its time."""
    cancel_export(export_id, actor=request.viewer, now=request.now)
    messages.success(request, _("The export was cancelled; no file is left."))
    return redirect("exports")


def export_file(request: ViewedRequest, export_id: UUID) -> FileResponse:
    """The file, let out through the gate to who asked for it; never run by a browser."""
    handed = hand_out_export(export_id, actor=request.viewer, now=request.now)
    response = FileResponse(
        handed.path.open("rb"),
        as_attachment=True,
        filename=handed.name,
        content_type=handed.media_type,
    )
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response
