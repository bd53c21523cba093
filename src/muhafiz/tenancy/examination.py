"""Whether the database keeps tenants apart, for `muhafiz doctor`."""

from __future__ import annotations

from django.db import DatabaseError, connections

from muhafiz.tenancy.current import PORTAL, PortalClosed, reading_as


def why_closed() -> str | None:
    """Why the portal stays closed, in one line; None when it is open."""
    connection = connections[PORTAL]
    try:
        with reading_as([]):
            connection.close()
            connection.ensure_connection()
    except (PortalClosed, DatabaseError) as error:
        cause = error.__cause__ or error
        return next(iter(str(cause).strip().splitlines()), type(cause).__name__)
    return None
