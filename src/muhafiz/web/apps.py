"""The faces as a Django app."""

from __future__ import annotations

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Pages; hears of sign-ins and of factors that change."""

    name = "muhafiz.web"
    verbose_name = "Faces"

    def ready(self) -> None:
        """Connect what listens."""
        from muhafiz.web.signin import receivers  # noqa: F401, PLC0415 - its import connects it
