"""Search as a Django app."""

from __future__ import annotations

from django.apps import AppConfig


class SearchConfig(AppConfig):
    """The index of exact names and words."""

    name = "muhafiz.search"
    verbose_name = "Search"
