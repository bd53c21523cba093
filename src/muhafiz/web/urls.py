"""The addresses of the front: entry, health, verification, language and theme."""

from __future__ import annotations

from django.urls import include, path

from muhafiz.web import beginning, front, views
from muhafiz.web.browser_reports import policy_report
from muhafiz.web.contact_ask import contact_ask
from muhafiz.web.health import health
from muhafiz.web.statistics import statistics
from muhafiz.web.verification import own_key_file, verify

urlpatterns = [
    path("", front.front, name="front"),
    path("enter/<str:token>/", front.enter, name="enter"),
    path("enter-as/<int:person_id>/", front.enter_demonstration, name="enter-demonstration"),
    path("sign-in/", include("muhafiz.web.signin.urls")),
    path("begin/", beginning.begin, name="begin"),
    path("welcome/", beginning.welcome, name="welcome"),
    path("leave/", front.leave, name="leave"),
    path("theme/", front.theme, name="theme"),
    path("language/", front.language, name="language"),
    path("views/save/", views.view_save, name="view-save"),
    path("views/<int:view_id>/forget/", views.view_forget, name="view-forget"),
    path("verify/", verify, name="verify"),
    path("verify/key.asc", own_key_file, name="own-key"),
    path("contact/<str:token>/", contact_ask, name="contact-answer"),
    path("statistics/", statistics, name="statistics"),
    path("health/", health, name="health"),
    path("csp-report/", policy_report, name="policy-report"),
]
