"""Django's engine for the tenants' connection on SQLite: read-only, and narrowed by shadows."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.db.backends.sqlite3 import base

from muhafiz.tenancy.current import NoTenant, PortalClosed, tenant
from muhafiz.tenancy.shadows import narrow
from muhafiz.tenancy.statements import only_reading


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection on which nothing can be written, and no table be read past its shadow."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.execute_wrappers.append(only_reading)

    def get_connection_params(self) -> dict[str, Any]:
        """Django's, with the file opened for reading only."""
        params: dict[str, Any] = super().get_connection_params()
        if not self.is_in_memory_db():
            path = quote(str(Path(params["database"]).absolute()))
            params["database"] = f"file:{path}?mode=ro"
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Open and narrow.

        Raises:
            PortalClosed: there is no database, or it cannot be narrowed.
        """
        try:
            connection = super().get_new_connection(conn_params)
            narrow(connection, shared=self.is_in_memory_db())
        except sqlite3.Error as error:
            raise PortalClosed from error
        return connection

    def create_cursor(self, name: str | None = None) -> Any:
        """A cursor for a tenant.

        Raises:
            NoTenant: none is set.
        """
        if tenant() is None:
            raise NoTenant
        return super().create_cursor(name)

    def let_go(self) -> None:
        """Nothing to end: which rows are seen is asked anew by each statement."""
