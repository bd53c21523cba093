"""The audit log as a Django app."""

from __future__ import annotations

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Entries, the tree over them and its signed heads."""

    name = "muhafiz.audit"
    verbose_name = "Audit"
