"""The addresses of the front: entry, health, verification, language and theme."""

from __future__ import annotations

from django.urls import path

from muhafiz.web import front
from muhafiz.web.health import health
from muhafiz.web.verification import verify

urlpatterns = [
    path("", front.front, name="front"),
    path("enter/<str:token>/", front.enter, name="enter"),
    path("enter-as/<int:person_id>/", front.enter_demonstration, name="enter-demonstration"),
    path("leave/", front.leave, name="leave"),
    path("theme/", front.theme, name="theme"),
    path("language/", front.language, name="language"),
    path("verify/", verify, name="verify"),
    path("health/", health, name="health"),
]
