"""What browsers told of pages that broke their policy."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from muhafiz.web import browser_reports as found
from muhafiz.web.viewer import ViewedRequest


def browser_reports(request: ViewedRequest) -> HttpResponse:
    """Every kind of breach, the latest first."""
    context = {"rows": found.reported(), "here": "browser-reports"}
    return render(request, "desk/browser_reports.html", context)


def browser_reports_settle(request: ViewedRequest) -> HttpResponseRedirect:
    """Remove the reports as looked at."""
    found.settle_reports(actor=request.viewer, now=request.now)
    messages.success(request, _("The reports were settled."))
    return redirect("browser-reports")
