"""Where a query goes: to the house's connection, or to the tenants'."""

from __future__ import annotations

from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, models

from muhafiz.tenancy.current import PORTAL, NotAllowedToConstituents, tenant
from muhafiz.tenancy.declared import declared


class TenantRouter:
    """Django's database router.

    While a tenant is set, reads go to its connection. Two kinds of reads stay with the house: those
    within an action (its transaction, where it also writes), and those of the session and sign-in
    tables, which each request needs before anybody is known.
    """

    def db_for_read(self, model: type[models.Model], **hints: Any) -> str | None:
        """The connection that answers.

        Raises:
            NotAllowedToConstituents: no tenant may read this table.
        """
        del hints
        if tenant() is None or connections[DEFAULT_DB_ALIAS].in_atomic_block:
            return DEFAULT_DB_ALIAS
        kind = declared().kind(model._meta.db_table)  # noqa: SLF001 - Django's public name for it
        if kind == "house":
            return DEFAULT_DB_ALIAS
        if kind == "never":
            raise NotAllowedToConstituents
        return PORTAL

    def db_for_write(self, model: type[models.Model], **hints: Any) -> str | None:
        """The house's connection, wherever the row was read."""
        del model, hints
        return DEFAULT_DB_ALIAS

    def allow_relation(self, one: models.Model, other: models.Model, **hints: Any) -> bool | None:
        """Both connections show the same database."""
        del one, other, hints
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        """Tables are made on the house's connection only."""
        del app_label, hints
        return db == DEFAULT_DB_ALIAS
