"""The queue of the duty desk as a Django app."""

from __future__ import annotations

from django.apps import AppConfig


class TriageConfig(AppConfig):
    """What waits for a person, who has it, until when, and who is on duty."""

    name = "muhafiz.triage"
    verbose_name = "Queue"
