"""The queue as a Django app; at start it finds the jobs of every room."""

from __future__ import annotations

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """The queue, its workers and its timetable."""

    name = "muhafiz.jobs"
    verbose_name = "Jobs"

    def ready(self) -> None:
        """Import every installed app's `jobs` module; a broken one stops the start."""
        from muhafiz.jobs.registry import discover_jobs  # noqa: PLC0415 - apps are ready only now

        discover_jobs()
