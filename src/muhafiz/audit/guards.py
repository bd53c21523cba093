"""Triggers that let the log grow and nothing else, for SQLite and PostgreSQL.

They stop mistakes and injected statements; whoever may drop a trigger is found by verification.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.apps.registry import Apps
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor

_GROWS_ONLY = ("audit_entry", "audit_signed_head")
_REFUSAL = "the audit log only grows"

# REPLACE deletes without firing a DELETE trigger, so an index in use is refused before the insert.
_SQLITE_INSERT = """
CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table}
WHEN EXISTS (SELECT 1 FROM {table} WHERE "{key}" = NEW."{key}")
BEGIN SELECT RAISE(ABORT, '{refusal}'); END
"""
_SQLITE_CHANGE = """
CREATE TRIGGER {table}_no_{event} BEFORE {event} ON {table}
BEGIN SELECT RAISE(ABORT, '{refusal}'); END
"""
_SQLITE_TREE = """
CREATE TRIGGER audit_tree_no_shrink BEFORE UPDATE ON audit_tree
WHEN NEW.size < OLD.size OR NEW.log <> OLD.log OR NEW.id <> OLD.id
BEGIN SELECT RAISE(ABORT, '{refusal}'); END
"""
_POSTGRESQL_FUNCTIONS = """
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '{refusal}' USING ERRCODE = 'integrity_constraint_violation'; END $$;
CREATE FUNCTION audit_tree_grows() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
  IF NEW.size < OLD.size OR NEW.log <> OLD.log OR NEW.id <> OLD.id THEN
    RAISE EXCEPTION '{refusal}' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER audit_tree_no_shrink BEFORE UPDATE ON audit_tree
FOR EACH ROW EXECUTE FUNCTION audit_tree_grows();
"""
_POSTGRESQL_CHANGE = """
CREATE TRIGGER {table}_no_{event} BEFORE {event} ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()
"""


def plant_tree(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Make the tree's one row: an empty tree with a random name that its heads will carry."""
    tree = apps.get_model("audit", "Tree")
    tree.objects.using(schema_editor.connection.alias).create(
        id=1, log=uuid.uuid4(), size=0, frontier=b""
    )


def raise_guards(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:  # noqa: ARG001 - Django's signature
    """Create the triggers for this kind of database."""
    statements = {"sqlite": _sqlite_guards, "postgresql": _postgresql_guards}
    for statement in statements[schema_editor.connection.vendor]():
        schema_editor.execute(statement, params=None)


def _sqlite_guards() -> list[str]:
    keys = {"audit_entry": "index", "audit_signed_head": "id"}
    made = [
        _SQLITE_INSERT.format(table=table, key=keys[table], refusal=_REFUSAL)
        for table in _GROWS_ONLY
    ]
    made += [
        _SQLITE_CHANGE.format(table=table, event=event, refusal=_REFUSAL)
        for table in _GROWS_ONLY
        for event in ("UPDATE", "DELETE")
    ]
    made.append(_SQLITE_TREE.format(refusal=_REFUSAL))
    made.append(_SQLITE_INSERT.format(table="audit_tree", key="id", refusal=_REFUSAL))
    made.append(_SQLITE_CHANGE.format(table="audit_tree", event="DELETE", refusal=_REFUSAL))
    return made


def _postgresql_guards() -> list[str]:
    made = [_POSTGRESQL_FUNCTIONS.format(refusal=_REFUSAL)]
    changes = [(table, event) for table in _GROWS_ONLY for event in ("UPDATE", "DELETE")]
    changes += [(table, "TRUNCATE") for table in (*_GROWS_ONLY, "audit_tree")]
    changes.append(("audit_tree", "DELETE"))
    made += [_POSTGRESQL_CHANGE.format(table=table, event=event) for table, event in changes]
    return made
