"""Reports as they were delivered, and the rows of them that could not be read."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from muhafiz.feeds import queries
from muhafiz.feeds.actions import replay
from muhafiz.feeds.facts import ReportFacts
from muhafiz.web.desk.asking import Asked
from muhafiz.web.desk.raw import pieces, record_reading
from muhafiz.web.desk.state_tabs import state_tabs
from muhafiz.web.desk.views.workbench import group_address
from muhafiz.web.parts import filter_bar, pages, tabs
from muhafiz.web.viewer import ViewedRequest

STATES = ("received", "processing", "done", "failed", "quarantined")
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
        "pages": pages(request.GET, older=rows[_PAGE - 1].id if len(rows) > _PAGE else None),
        "tabs": tabs(request.GET, "state", state_tabs(STATES), here=state),
        "bar": filter_bar(request.GET, {"feed": _("Feed")}, errors=asked.errors),
        "asked": asked,
        "feeds": queries.feed_names(),
        "here": "reports",
    }
    return render(request, "desk/reports/list.html", context, status=asked.status)


def report(request: ViewedRequest, report_id: int) -> HttpResponse:
    """One report: what came of its rows, and those set aside by reason."""
    found = _report(report_id)
    context = {
        "report": found,
        "groups": [
            (group, group_address(group, "open", report_id))
            for group in queries.set_aside_groups(report_id=report_id)
        ],
        "feeds": queries.feed_names() if found.state == "quarantined" else [],
        "here": "report",
    }
    return render(request, "desk/reports/page.html", context)


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


def _report(report_id: int) -> ReportFacts:
    found = queries.report(report_id)
    if found is None:
        raise Http404
    return found
