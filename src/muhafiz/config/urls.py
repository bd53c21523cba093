"""Every address the platform answers, by face."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("", include("muhafiz.web.urls")),
    path("desk/", include("muhafiz.web.desk.urls")),
    path("portal/", include("muhafiz.web.portal.urls")),
]

handler500 = "muhafiz.web.broken.broken"
