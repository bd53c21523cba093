"""Django's engine for the tenants' connection on PostgreSQL: a role of its own, row by row."""

from __future__ import annotations

from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg.pq import TransactionStatus

from muhafiz.tenancy.current import NoTenant, PortalClosed, WiderTenant, tenant
from muhafiz.tenancy.policies import faults_of_connection, role_name
from muhafiz.tenancy.seal import portal_password, sealed
from muhafiz.tenancy.statements import only_reading


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection whose every transaction is one tenant's, and shows no row otherwise.

    Its settings have AUTOCOMMIT off: the first statement opens a transaction, in which the tenant
    is set; `let_go` ends it, and the setting ends with it, also behind a pooler of connections.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.execute_wrappers.append(only_reading)
        self._bound: frozenset[int] | None = None

    def get_connection_params(self) -> dict[str, Any]:
        """Django's, with the tenants' role unless the settings name another user."""
        params: dict[str, Any] = super().get_connection_params()
        if not self.settings_dict["USER"]:
            params["user"] = role_name(self.settings_dict["NAME"])
            params["password"] = portal_password()
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Open, and look whether tenants are kept apart on it.

        Raises:
            PortalClosed: the role cannot enter, or it would see too much.
        """
        self._bound = None
        try:
            connection = super().get_new_connection(conn_params)
            faults = faults_of_connection(connection)
        except psycopg.Error as error:
            raise PortalClosed from error
        if faults:
            connection.close()
            raise PortalClosed from RuntimeError("; ".join(faults))
        return connection

    def create_cursor(self, name: str | None = None) -> Any:
        """A cursor in a transaction of the tenant.

        Raises:
            NoTenant: none is set.
        """
        self._bind()
        return super().create_cursor(name)

    def let_go(self) -> None:
        """End the transaction, and with it the setting."""
        self._bound = None
        if self.connection is None or self.connection.closed or self.in_atomic_block:
            return
        self.connection.rollback()

    def _bind(self) -> None:
        current = tenant()
        if current is None:
            raise NoTenant
        status = self.connection.info.transaction_status
        if current == self._bound and status in {
            TransactionStatus.INTRANS,
            TransactionStatus.ACTIVE,
        }:
            return
        if self.in_atomic_block:
            if self._bound is not None and current != self._bound:
                raise WiderTenant
            if status == TransactionStatus.INERROR:
                return
        else:
            self.connection.rollback()
        # Parameters travel apart from the text: no other session sees them in pg_stat_activity.
        with psycopg.Cursor(self.connection) as cursor:
            cursor.execute("SELECT muhafiz_tenancy.challenge()")
            [challenge] = cursor.fetchone() or ("",)
            cursor.execute(
                "SELECT set_config('muhafiz.organizations', %s, true)", [sealed(current, challenge)]
            )
        self._bound = current
