"""The rulebook as a Django app."""

from __future__ import annotations

from django.apps import AppConfig


class RulebookConfig(AppConfig):
    """Values, proposals, and the profiles that a new installation starts from."""

    name = "muhafiz.rulebook"
    verbose_name = "Rulebook"
