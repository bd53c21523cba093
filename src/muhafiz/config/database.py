"""Which relational database, and how careful it must be."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from muhafiz.config.environment import BadEnvironment

# synchronous=FULL: with WAL and NORMAL, a power cut loses commits already acknowledged.
# secure_delete: deleted text is overwritten. (trusted_schema=OFF would forbid the JSON checks that
# Django puts into its tables.)
_SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
    "PRAGMA secure_delete=ON; PRAGMA temp_store=MEMORY; "
    "PRAGMA cache_size=-32768;"
)
_CONNECT_SECONDS = 10  # a machine that is gone keeps no page and no command waiting for minutes


def database_settings(url: str, var: Path) -> dict[str, Any]:
    """Django's settings for `url` (postgresql://…), or for SQLite within `var` when empty.

    Raises:
        BadEnvironment: the address names another kind of database, or the folder cannot be made.
    """
    if not url:
        _make(var)
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": var / "muhafiz.sqlite3",
            "OPTIONS": {
                # A write transaction takes its lock at once: no deadlock half-way through.
                "transaction_mode": "IMMEDIATE",
                "timeout": 30,
                "init_command": _SQLITE_PRAGMAS,
            },
        }
    try:
        parts = urlsplit(url)
        port = parts.port or ""
    except ValueError:  # its words quote what stands there, which may be the password
        raise BadEnvironment(
            "DATABASE_URL has no right host or port. Write signs of the password like %2F."
        ) from None
    if parts.scheme not in {"postgresql", "postgres"}:
        raise BadEnvironment("DATABASE_URL must begin with postgresql://, or be empty for SQLite.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": port,
        "OPTIONS": {"connect_timeout": _CONNECT_SECONDS},
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadEnvironment(f"MUHAFIZ_VAR cannot be made: {error}.") from None


def portal_settings(default: dict[str, Any], url: str) -> dict[str, Any]:
    """The tenants' connection to the same database; `url` names another user, or is empty.

    Raises:
        BadEnvironment: `url` is no address of PostgreSQL, or the database is SQLite.
    """
    mirrored = {"TEST": {"MIRROR": "default"}}
    if "sqlite" in default["ENGINE"]:
        if url:
            raise BadEnvironment("MUHAFIZ_PORTAL_DATABASE_URL needs DATABASE_URL.")
        # Not IMMEDIATE: it never writes. Kept open: shadowing every table takes milliseconds.
        narrow = {"ENGINE": "muhafiz.tenancy.engines.sqlite", "OPTIONS": {"timeout": 30}}
        return {**default, **narrow, **mirrored, "CONN_MAX_AGE": 600}
    # Without a user of its own it enters by the role that the platform makes for it.
    user = {"USER": "", "PASSWORD": ""}
    if url:
        named = database_settings(url, Path())
        user = {name: named[name] for name in ("USER", "PASSWORD", "HOST", "PORT")}
    engine = {
        "ENGINE": "muhafiz.tenancy.engines.postgresql",
        "AUTOCOMMIT": False,
        # A cursor of the server's ends with the transaction, which each piece of an answer has.
        "DISABLE_SERVER_SIDE_CURSORS": True,
    }
    return {**default, **user, **engine, **mirrored}
