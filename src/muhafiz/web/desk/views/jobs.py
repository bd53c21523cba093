"""Work in the queue, with its progress."""

from __future__ import annotations

import json
from datetime import timedelta

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from muhafiz.jobs import queries
from muhafiz.jobs.actions.queue import cancel_job, retry_job
from muhafiz.jobs.rules import ACTIVE, STATES
from muhafiz.web.desk.asking import Asked
from muhafiz.web.labels import STATES as STATE_WORDS
from muhafiz.web.parts import Word, filter_bar, pages, tabs
from muhafiz.web.viewer import ViewedRequest

_PAGE = 50


def jobs(request: ViewedRequest) -> HttpResponse:
    """Jobs by state, the newest first, the workers, and the timed ones with their next run."""
    asked = Asked(request.GET)
    state = asked.choice("state", STATES)
    name = asked.text("name")
    rows = queries.jobs(
        state=state or None, name=name or None, before=asked.whole("before"), limit=_PAGE + 1
    )
    counts = queries.counts_by_state()
    choices: list[tuple[str, Word, int | None]] = [("", _("All"), None)]
    choices += [(code, STATE_WORDS[code][0], counts[code]) for code in STATES]
    context = {
        "rows": rows[:_PAGE],
        "pages": pages(request.GET, older=rows[_PAGE - 1].job_id if len(rows) > _PAGE else None),
        "tabs": tabs(request.GET, "state", choices, here=state, grave=("failed",)),
        "bar": filter_bar(request.GET, {"name": _("Work")}, codes=("name",), errors=asked.errors),
        "names": queries.names(),
        "workers": [(each, each.state(request.now)) for each in queries.workers(now=request.now)],
        "wait": _whole(queries.longest_wait(request.now)),
        "timed": queries.timed_jobs(),
        "state": state,
        "asked": asked,
        "here": "jobs",
    }
    return render(request, "desk/jobs/list.html", context, status=asked.status)


def _whole(wait: timedelta | None) -> timedelta | None:
    return None if wait is None else timedelta(seconds=int(wait.total_seconds()))


def job(request: ViewedRequest, job_id: int) -> HttpResponse:
    """One job: its progress, its attempts, what went wrong, and where its work can be seen."""
    found = queries.job(job_id)
    if found is None:
        raise Http404
    context = {
        "job": found,
        "attempts": queries.attempts(job_id),
        "again": found.state in ACTIVE,
        "subject": _subject(found.name, json.loads(found.payload)),
        "here": "job",
    }
    part = "desk/jobs/live.html" if "HX-Request" in request.headers else "desk/jobs/page.html"
    return render(request, part, context)


#: Where a job's work can be seen: name → (route, payload's key or None).
_PLACES: dict[str, tuple[str, str | None]] = {
    "feeds.process_report": ("report", "report_id"),
    "feeds.replay_set_aside": ("report", "report_id"),
    "feeds.replay_group": ("set-aside", None),
    "feeds.check_samples": ("set-aside", None),
    "feeds.fetch": ("feeds", None),
    "detection.digest": ("notices", None),
    "detection.simulate": ("simulation", "simulation_id"),
    "keyring.verify_audit": ("audit", None),
    "feeds.try_fetch": ("feed", "feed"),
    "notifications.deliver": ("letters", None),
}


def _subject(name: str, payload: dict[str, object]) -> str:
    """The address of the page that shows what the job works on; empty when there is none."""
    route, key = _PLACES.get(name, ("", None))
    if not route:
        return ""
    return reverse(route, args=[payload[key]] if key in payload else [])


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
