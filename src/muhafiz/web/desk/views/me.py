"""The desk's page about oneself."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render

from muhafiz.web.me import about
from muhafiz.web.viewer import ViewedRequest


def me(request: ViewedRequest) -> HttpResponse:
    """Name, preferences, ways in, and the browsers that are signed in."""
    return render(request, "desk/me.html", about(request))
