"""Tenancy as a Django app."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models.signals import post_migrate


class TenancyConfig(AppConfig):
    """Has no tables: it says who sees the others'."""

    name = "muhafiz.tenancy"
    verbose_name = "Tenancy"

    def ready(self) -> None:
        """Set the tenants' role up whenever tables were made or changed."""
        post_migrate.connect(_protect, sender=self, dispatch_uid="muhafiz.tenancy")


def _protect(*, using: str = DEFAULT_DB_ALIAS, **others: Any) -> None:
    del others
    if using == DEFAULT_DB_ALIAS and connections[using].vendor == "postgresql":
        from muhafiz.tenancy.policies import protect  # noqa: PLC0415 - psycopg only where needed

        protect(using)
