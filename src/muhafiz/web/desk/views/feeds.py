"""The feeds: what they should bring, what they bring, which one is silent."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render

from muhafiz.feeds.queries import feed_states
from muhafiz.web.viewer import ViewedRequest


def feeds(request: ViewedRequest) -> HttpResponse:
    """Every feed with what it delivered in the last 24 hours."""
    rows = feed_states(now=request.now)
    return render(request, "desk/feeds.html", {"rows": rows, "here": "feeds"})
