"""SQLite: temporary views that shadow the tables, and an authorizer that lets nobody past them.

For each table of which a tenant sees its own rows there are two temporary views. The inner one,
under a random name, holds the predicate; the outer one has the table's name, so every statement
that says `detection_notice` means it. The authorizer hears, for each column that a statement is
about to read, through which view it is read, and lets a table be read through its inner view only.
The outer view's name would be no proof of that: a common table expression of the same name passes
for it (`WITH detection_notice AS (SELECT * FROM main.detection_notice) …`).

Whose rows are seen is not written into the views: they ask the function `muhafiz_tenant()` while
the statement runs. So a statement that was prepared for another tenant, or a cursor kept too long,
sees the tenant of the moment, or nothing.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Callable
from typing import Final

from muhafiz.tenancy.current import tenant
from muhafiz.tenancy.declared import Dialect, declared

SQLITE: Final = Dialect(
    own="{column} IN (SELECT value FROM json_each(muhafiz_tenant()))",
    addressed=(
        "substr({column} || '/', 1, instr({column} || '/', '/') - 1) IN "
        "(SELECT 'organization:' || value FROM json_each(muhafiz_tenant()))"
    ),
)

_HARMLESS: Final = frozenset(
    {
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_RECURSIVE,
        sqlite3.SQLITE_TRANSACTION,
        sqlite3.SQLITE_SAVEPOINT,
    }
)
_FUNCTIONS: Final = frozenset({"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"})
_GENERATORS: Final = frozenset({"json_each", "json_tree", "generate_series"})

Authorizer = Callable[[int, str | None, str | None, str | None, str | None], int]


def narrow(connection: sqlite3.Connection, *, shared: bool) -> None:
    """Make of a fresh connection one that shows a tenant's rows and takes no writes.

    `shared`: the database lies in memory and is shared with the writer's connection (tests).
    """
    tables, named = _tables(connection), _columns(connection)
    owned = [table for table in declared().tables("own") if table in tables]
    connection.create_function("muhafiz_tenant", 0, _current)
    if shared:
        connection.execute("PRAGMA read_uncommitted = ON")
    inner = {table: f"s{secrets.token_hex(16)}" for table in owned}
    for table in owned:  # all outer names first: a predicate means the visible rows of other tables
        rows = f'SELECT * FROM "{inner[table]}"'  # noqa: S608 - declared names
        connection.execute(f'CREATE TEMP VIEW "{table}" AS {rows}')
    for table, name in inner.items():
        # A second column, besides a row id: of a source of which no other column is asked for (for
        # counting, say) the authorizer does not hear through which view it is read.
        predicate = (
            f'({declared().predicate(table, SQLITE)}) AND "{named[table]}" IS "{named[table]}"'
        )
        rows = f'SELECT * FROM main."{table}" WHERE {predicate}'  # noqa: S608 - declared names
        connection.execute(f'CREATE TEMP VIEW "{name}" AS {rows}')
    connection.execute("PRAGMA query_only = ON")
    everyone = frozenset(declared().tables("everyone"))
    connection.set_authorizer(_authorizer(inner, everyone, tables))


def _tables(connection: sqlite3.Connection) -> frozenset[str]:
    rows = connection.execute("SELECT name FROM main.sqlite_master WHERE type IN ('table', 'view')")
    return frozenset(name for (name,) in rows)


def _columns(connection: sqlite3.Connection) -> dict[str, str]:
    """Table → a column that is not its key."""
    rows = connection.execute(
        "SELECT t.name, c.name FROM main.sqlite_master t JOIN pragma_table_info(t.name) c "
        "WHERE t.type = 'table' AND c.pk = 0 ORDER BY c.cid DESC"
    )
    return dict(rows.fetchall())


def _current() -> str:
    return json.dumps(sorted(tenant() or ()))


def _authorizer(
    inner: dict[str, str], everyone: frozenset[str], tables: frozenset[str]
) -> Authorizer:
    """What may be done: read through the shadows, and call functions that touch no file."""
    names = frozenset(inner.values())

    def may_read(table: str, column: str, schema: str | None, through: str | None) -> bool:
        if table in everyone or table in _GENERATORS:
            return True
        if schema == "temp":
            # A shadow by its table's name; what it stands on, only from within it.
            return table in inner or (table in names and through in inner)
        if schema is None and not column:  # a source of which no column is read: a CTE, or a shadow
            return table in inner or table not in tables
        return through is not None and inner.get(table) == through

    def answer(
        action: int, one: str | None, two: str | None, schema: str | None, through: str | None
    ) -> int:
        allowed = action in _HARMLESS
        if action == sqlite3.SQLITE_READ:
            allowed = may_read(one or "", two or "", schema, through)
        elif action == sqlite3.SQLITE_FUNCTION:
            allowed = two not in _FUNCTIONS
        return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY

    return answer
