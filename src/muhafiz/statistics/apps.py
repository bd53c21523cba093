"""Statistics as a Django app."""

from __future__ import annotations

from django.apps import AppConfig


class StatisticsConfig(AppConfig):
    """Published weekly figures."""

    name = "muhafiz.statistics"
    verbose_name = "Statistics"
