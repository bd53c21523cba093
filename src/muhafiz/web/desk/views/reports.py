"""Reports as they were delivered, and the rows of them that could not be read."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from muhafiz.feeds import queries
from muhafiz.feeds.actions import replay
from muhafiz.feeds.facts import ReportFacts
from muhafiz.web.desk.asking import Asked
from muhafiz.web.desk.raw import pieces, record_reading
from muhafiz.web.viewer import ViewedRequest

STATES = ("received", "processing", "done", "failed", "quarantined")
ROW_STATES = ("open", "replayed", "dismissed")
_PAGE = 50


def reports(request: ViewedRequest) -> HttpResponse:
    """Reports, newest first."""
    asked = Asked(request.GET)
    state = asked.choice("state", STATES)
    feed = asked.text("feed")
    before = asked.whole("before")
    rows = queries.reports(
        states=(state,) if state else (), feed=feed or None, before=before, limit=_PAGE + 1
    )
    context = {
        "rows": rows[:_PAGE],
        "more": rows[_PAGE - 1].id if len(rows) > _PAGE else None,
        "asked": asked,
        "states": STATES,
        "feeds": queries.feed_names(),
        "here": "reports",
    }
    return render(request, "desk/reports/list.html", context, status=asked.status)


def report(request: ViewedRequest, report_id: int) -> HttpResponse:
    """One report: what came of its rows, and those set aside by reason."""
    found = _report(report_id)
    asked = Asked(request.GET)
    reason = asked.text("reason")
    after = asked.whole("after") or 0
    rows = queries.set_aside_rows(
        report_id=report_id, reason=reason or None, after=after, limit=_PAGE + 1
    )
    context = {
        "report": found,
        "groups": queries.set_aside_groups(report_id=report_id),
        "rows": rows[:_PAGE],
        "more": rows[_PAGE - 1].id if len(rows) > _PAGE else None,
        "reason": reason,
        "feeds": queries.feed_names() if found.state == "quarantined" else [],
        "here": "report",
        "asked": asked,
    }
    return render(request, "desk/reports/page.html", context, status=asked.status)


def report_raw(request: ViewedRequest, report_id: int) -> StreamingHttpResponse:
    """The report's bytes exactly as delivered, as a download that no browser will run."""
    found = _report(report_id)
    record_reading(found, actor=request.viewer, now=request.now)
    response = StreamingHttpResponse(pieces(found), content_type="application/octet-stream")
    name = content_disposition_header(as_attachment=True, filename=found.file_name)
    response["Content-Disposition"] = name or "attachment"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


def report_replay(request: ViewedRequest, report_id: int) -> HttpResponseRedirect:
    """Queue the reading of what is still open, with today's mappings."""
    job = replay.reprocess_report(report_id=report_id, actor=request.viewer, now=request.now)
    messages.success(request, _("Job {job} reads the report again.").format(job=job))
    return redirect("report", report_id)


def report_assign(request: ViewedRequest, report_id: int) -> HttpResponseRedirect:
    """Give a report that no feed recognized to a feed."""
    feed = request.POST.get("feed", "")
    replay.assign_report(report_id=report_id, feed=feed, actor=request.viewer, now=request.now)
    messages.success(request, _("The report was given to the feed and is being read."))
    return redirect("report", report_id)


def set_aside(request: ViewedRequest) -> HttpResponse:
    """All rows set aside, grouped by reason."""
    asked = Asked(request.GET)
    state = asked.choice("state", ROW_STATES, "open")
    reason = asked.text("reason")
    after = asked.whole("after") or 0
    rows = queries.set_aside_rows(reason=reason or None, state=state, after=after, limit=_PAGE + 1)
    context = {
        "groups": queries.set_aside_groups(state=state),
        "rows": rows[:_PAGE],
        "more": rows[_PAGE - 1].id if len(rows) > _PAGE else None,
        "state": state,
        "states": ROW_STATES,
        "reason": reason,
        "here": "set-aside",
    }
    return render(request, "desk/reports/set_aside.html", context, status=asked.status)


def set_aside_row(request: ViewedRequest, row_id: int) -> HttpResponse:
    """One row: its bytes, the reason, and the ways to settle it."""
    return render(request, "desk/reports/row.html", _row_context(row_id))


def set_aside_edit(request: ViewedRequest, row_id: int) -> HttpResponse:
    """Read the row again as the person corrected it; what is wrong is said beside the text."""
    text = request.POST.get("raw", "")
    done = replay.edit_and_replay(
        row_id=row_id, raw=text.encode(), actor=request.viewer, now=request.now
    )
    if done.still_open:
        context = _row_context(row_id) | {
            "typed": text,
            "error": _("The row still cannot be read. Correct it and try again."),
        }
        return render(request, "desk/reports/row.html", context, status=400)
    messages.success(request, _("The corrected row was accepted."))
    return redirect("set-aside")


def set_aside_dismiss(request: ViewedRequest) -> HttpResponseRedirect:
    """Settle the ticked rows as of no use, with the reason."""
    ids = [int(each) for each in request.POST.getlist("row") if each.isascii() and each.isdigit()]
    note = request.POST.get("note", "")
    count = replay.dismiss_set_aside(row_ids=ids, note=note, actor=request.viewer, now=request.now)
    told = ngettext("{count} row was dismissed.", "{count} rows were dismissed.", count)
    messages.success(request, told.format(count=count))
    return redirect("set-aside")


def _report(report_id: int) -> ReportFacts:
    found = queries.report(report_id)
    if found is None:
        raise Http404
    return found


def _row_context(row_id: int) -> dict[str, Any]:
    row = queries.set_aside_row(row_id)
    if row is None:
        raise Http404
    bytes_now = row.raw if row.edited is None else row.edited
    return {
        "row": row,
        "shown": row.raw.decode("utf-8", "backslashreplace").replace("\0", "␀"),
        "typed": bytes_now.decode("utf-8", "replace").replace("\0", ""),
        "here": "set-aside-row",
    }
