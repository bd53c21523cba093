"""Work in the queue, with its progress."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from muhafiz.jobs import queries
from muhafiz.jobs.actions.queue import cancel_job, retry_job
from muhafiz.jobs.rules import STATES
from muhafiz.web.desk.asking import Asked
from muhafiz.web.viewer import ViewedRequest

_PAGE = 50


def jobs(request: ViewedRequest) -> HttpResponse:
    """Jobs by state, the newest first, and the timed ones with their next run."""
    asked = Asked(request.GET)
    state = asked.choice("state", STATES)
    rows = queries.jobs(state=state or None, before=asked.whole("before"), limit=_PAGE + 1)
    context = {
        "rows": rows[:_PAGE],
        "more": rows[_PAGE - 1].job_id if len(rows) > _PAGE else None,
        "counts": list(queries.counts_by_state().items()),
        "timed": queries.timed_jobs(),
        "state": state,
        "asked": asked,
        "here": "jobs",
    }
    return render(request, "desk/jobs.html", context, status=asked.status)


def job_retry(request: ViewedRequest, job_id: int) -> HttpResponseRedirect:
    """Queue a failed or cancelled job anew."""
    retry_job(job_id, actor=request.viewer, now=request.now)
    messages.success(request, _("Job {job} is queued again.").format(job=job_id))
    return redirect("jobs")


def job_cancel(request: ViewedRequest, job_id: int) -> HttpResponseRedirect:
    """Cancel a queued job, or ask a running one to stop."""
    cancel_job(job_id, actor=request.viewer, now=request.now)
    messages.success(request, _("Job {job} is cancelled or will stop soon.").format(job=job_id))
    return redirect("jobs")
