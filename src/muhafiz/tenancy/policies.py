"""PostgreSQL: the tenants' role, what it may read, and the policies that narrow it row by row."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from typing import Any, Final

import psycopg
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections, transaction
from psycopg import sql

from muhafiz.tenancy.declared import Dialect, declared
from muhafiz.tenancy.seal import pads, portal_password

POSTGRESQL: Final = Dialect(
    own="{column} = ANY ((SELECT muhafiz_tenancy.organizations())::bigint[])",
    addressed=("split_part({column}, '/', 1) = ANY ((SELECT muhafiz_tenancy.addressed())::text[])"),
)

_LONGEST_NAME = 63
_log = logging.getLogger(__name__)

_SCHEMA = """
CREATE SCHEMA IF NOT EXISTS muhafiz_tenancy;
CREATE TABLE IF NOT EXISTS muhafiz_tenancy.seal (
    one smallint PRIMARY KEY CHECK (one = 1),
    inner_pad bytea NOT NULL,
    outer_pad bytea NOT NULL,
    version text NOT NULL
);
CREATE OR REPLACE FUNCTION muhafiz_tenancy.challenge() RETURNS text LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
    SELECT pg_backend_pid() || ' '
        || to_char(transaction_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')
$$;
CREATE OR REPLACE FUNCTION muhafiz_tenancy.organizations() RETURNS bigint[] LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    told text := current_setting('muhafiz.organizations', true);
    ids text := split_part(told, ':', 1);
    proof text;
BEGIN
    IF told IS NULL OR told = '' THEN
        RETURN '{}';
    END IF;
    SELECT encode(sha256(outer_pad || sha256(inner_pad || convert_to(
        ids || ':' || muhafiz_tenancy.challenge(), 'UTF8'))), 'hex')
        INTO proof FROM muhafiz_tenancy.seal;
    IF proof IS DISTINCT FROM split_part(told, ':', 2) THEN
        RETURN '{}';
    END IF;
    RETURN ids::bigint[];
END $$;
CREATE OR REPLACE FUNCTION muhafiz_tenancy.addressed() RETURNS text[] LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(array_agg('organization:' || id), '{}')
    FROM unnest(muhafiz_tenancy.organizations()) AS id
$$;
CREATE OR REPLACE FUNCTION muhafiz_tenancy.version() RETURNS text LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT version FROM muhafiz_tenancy.seal
$$;
"""


def role_name(database: str) -> str:
    """The tenants' role of a database (roles belong to the whole server, so each has its own)."""
    name = f"{database}_portal"
    if len(name.encode()) <= _LONGEST_NAME:
        return name
    return f"portal_{hashlib.sha256(database.encode()).hexdigest()[:32]}"


def version(tables: list[str], role: str) -> str:
    """A name for what `protect` would set up: when it differs, it is set up again."""
    told = [declared().digest(), _SCHEMA, role, pads()[0].hex(), *tables, _FORM]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


_FORM = "1"  # of the statements below: counted up when they change


def protect(alias: str = DEFAULT_DB_ALIAS, *, role: str = "") -> None:
    """Set the tenants' role and its policies up; a second run changes nothing.

    Where the database user may not make roles and nobody made this one, nothing is set up: the
    portal stays closed and `muhafiz doctor` says how to mend it.
    """
    connection = connections[alias]
    role = role or portal_user(alias)
    tables = sorted(set(connection.introspection.table_names()) & set(declared().rows))
    wanted = version(tables, role)
    if _standing(alias) == wanted and not _laid_open(alias):
        return
    try:
        with transaction.atomic(using=alias), connection.cursor() as cursor:
            _ensure_role(
                cursor, role, made_here=role == role_name(connection.settings_dict["NAME"])
            )
            cursor.execute(_SCHEMA)
            for statement in statements(cursor, tables, role):
                cursor.execute(statement)
            inner, outer = pads()
            cursor.execute(
                "INSERT INTO muhafiz_tenancy.seal VALUES (1, %s, %s, %s) ON CONFLICT (one) "
                "DO UPDATE SET inner_pad = EXCLUDED.inner_pad, outer_pad = EXCLUDED.outer_pad, "
                "version = EXCLUDED.version",
                [inner, outer, wanted],
            )
    except DatabaseError as error:
        _log.warning("The tenants' role is not set up; the portal stays closed: %s", error)


def portal_user(alias: str = DEFAULT_DB_ALIAS) -> str:
    """The role that the portal enters with: the one of the settings, else the database's own."""
    named = str(connections["portal"].settings_dict["USER"] or "")
    return named or role_name(connections[alias].settings_dict["NAME"])


def _standing(alias: str) -> str:
    """The version that is set up; empty when none is."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT to_regclass('muhafiz_tenancy.seal') IS NOT NULL")
        if not cursor.fetchone()[0]:
            return ""
        cursor.execute("SELECT coalesce(max(version), '') FROM muhafiz_tenancy.seal")
        return str(cursor.fetchone()[0])


def _ensure_role(cursor: Any, role: str, *, made_here: bool) -> None:
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
    there = cursor.fetchone() is not None
    if there and not made_here:
        return
    connection: psycopg.Connection[Any] = cursor.connection
    secret = connection.pgconn.encrypt_password(
        portal_password().encode(), role.encode(), b"scram-sha-256"
    ).decode()
    verb = sql.SQL("ALTER" if there else "CREATE")
    name = sql.Identifier(role)
    cursor.execute(
        sql.SQL("{} ROLE {} LOGIN NOINHERIT PASSWORD {}").format(verb, name, sql.Literal(secret))
    )
    cursor.execute(sql.SQL("ALTER ROLE {} SET default_transaction_read_only = on").format(name))
    cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    if cursor.fetchone()[0]:  # only a superuser may: then others' statements are not even told of
        cursor.execute(sql.SQL("ALTER ROLE {} SET track_activities = off").format(name))


def statements(cursor: Any, tables: list[str], role: str) -> Iterator[sql.Composed]:
    """What makes the declarations hold: grants, forced row-level security, policies.

    The owner keeps seeing all (a policy of its own, since security is forced upon it as well).
    """
    name = sql.Identifier(role)
    yield sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}").format(name)
    yield sql.SQL("REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {}").format(name)
    yield sql.SQL("REVOKE ALL ON muhafiz_tenancy.seal FROM PUBLIC, {}").format(name)
    yield sql.SQL("GRANT USAGE ON SCHEMA public, muhafiz_tenancy TO {}").format(name)
    owners = _owners(cursor)
    for table in tables:
        kind, target = declared().kind(table), sql.Identifier(table)
        if kind in {"everyone", "own"}:
            yield sql.SQL("GRANT SELECT ON {} TO {}").format(target, name)
        yield sql.SQL("DROP POLICY IF EXISTS muhafiz_house ON {}").format(target)
        yield sql.SQL("DROP POLICY IF EXISTS muhafiz_tenant ON {}").format(target)
        if kind != "own":
            yield sql.SQL(
                "ALTER TABLE {0} NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY"
            ).format(target)
            continue
        yield sql.SQL("ALTER TABLE {0} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY").format(
            target
        )
        yield sql.SQL(
            "CREATE POLICY muhafiz_house ON {} TO {} USING (true) WITH CHECK (true)"
        ).format(target, sql.Identifier(owners[table]))
        yield sql.SQL("CREATE POLICY muhafiz_tenant ON {} FOR SELECT TO {} USING ({})").format(
            target, name, sql.SQL(declared().predicate(table, POSTGRESQL))
        )


def _owners(cursor: Any) -> dict[str, str]:
    cursor.execute("SELECT tablename, tableowner FROM pg_tables WHERE schemaname = 'public'")
    return dict(cursor.fetchall())


_LAID_OPEN = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relname = ANY (%(own)s)
    AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
"""
_FAULTS = """
SELECT 'the role is a superuser or passes row-level security by'
FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolbypassrls)
UNION ALL SELECT 'the role could become ' || o.rolname
FROM pg_roles o WHERE o.rolname <> current_user AND pg_has_role(current_user, o.oid, 'MEMBER')
UNION ALL SELECT 'the role may read ' || c.relname
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm')
    AND NOT c.relname = ANY (%(open)s) AND has_table_privilege(c.oid, 'SELECT')
UNION ALL SELECT 'the role may write ' || c.relname
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')
    AND has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
"""


def _laid_open(alias: str) -> bool:
    """Whether a tenant's table is without its security: made anew, or somebody took it off."""
    with connections[alias].cursor() as cursor:
        cursor.execute(_LAID_OPEN, {"own": declared().tables("own")})
        return cursor.fetchone() is not None


def faults_of_connection(connection: psycopg.Connection[Any]) -> list[str]:
    """Why this connection would not keep tenants apart; empty when it does.

    Raises:
        psycopg.Error: nothing is set up.
    """
    own, everyone = declared().tables("own"), declared().tables("everyone")
    with psycopg.Cursor(connection) as cursor:
        cursor.execute(_FAULTS, {"open": [*own, *everyone]})
        found = [str(told) for (told,) in cursor.fetchall()]
        cursor.execute(_LAID_OPEN, {"own": own})
        found += [f"row-level security is not forced on {name}" for (name,) in cursor.fetchall()]
        cursor.execute("SELECT coalesce(muhafiz_tenancy.version(), '')")
        [standing] = cursor.fetchone() or ("",)
        if not standing:
            found.append("nothing is set up")
    connection.rollback()
    return found
