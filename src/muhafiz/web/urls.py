"""The addresses of the front: entry, health, verification, language and theme."""

from __future__ import annotations

from django.urls import path

from muhafiz.web.health import health

urlpatterns = [
    path("health/", health, name="health"),
]
