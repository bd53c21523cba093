"""Health as a Django app; at start it finds the examinations of every room."""

from __future__ import annotations

from django.apps import AppConfig


class HealthConfig(AppConfig):
    """Has no tables: it asks the rooms how they are."""

    name = "muhafiz.health"
    verbose_name = "Health"

    def ready(self) -> None:
        """Import every installed app's `examinations` module; a broken one stops the start."""
        from muhafiz.health.registry import (  # noqa: PLC0415 - apps are ready only now
            discover_examinations,
        )

        discover_examinations()
