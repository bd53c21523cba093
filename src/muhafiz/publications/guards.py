"""Triggers that keep published documents as they were, for SQLite and PostgreSQL.

Only a tombstone may be put on a document, once. Deleting one shows as a gap in the numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.apps.registry import Apps
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor

_REFUSAL = "a published document is never changed"
_FIXED = (
    "id",
    "number",
    "title",
    "digest",
    "verify_code",
    "ledger_id",
    "tlp",
    "kept_at",
    "kept_by",
)
_CHANGED_SQLITE = " OR ".join(f'NEW."{name}" IS NOT OLD."{name}"' for name in _FIXED)
_CHANGED_POSTGRESQL = " OR ".join(f'NEW."{name}" IS DISTINCT FROM OLD."{name}"' for name in _FIXED)
_UNDONE = "(OLD.withdrawn_at IS NOT NULL)"

_STATEMENTS = {
    "sqlite": [
        f"""
CREATE TRIGGER publications_document_fixed BEFORE UPDATE ON publications_document
WHEN {_CHANGED_SQLITE} OR {_UNDONE}
BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END
""",
        # REPLACE deletes without an UPDATE, so a number in use is refused before the insert.
        """
CREATE TRIGGER publications_document_no_replace BEFORE INSERT ON publications_document
WHEN EXISTS (
  SELECT 1 FROM publications_document
  WHERE number = NEW.number OR verify_code = NEW.verify_code OR id = NEW.id
)
BEGIN SELECT RAISE(ABORT, 'a published document is never changed'); END
""",
    ],
    "postgresql": [
        f"""
CREATE FUNCTION publications_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '{_REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END $$
""",
        f"""
CREATE TRIGGER publications_document_fixed BEFORE UPDATE ON publications_document
FOR EACH ROW WHEN ({_CHANGED_POSTGRESQL} OR {_UNDONE}) EXECUTE FUNCTION publications_refuse()
""",
    ],
}


def raise_guards(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:  # noqa: ARG001 - Django's signature
    """Create the triggers for this kind of database."""
    for statement in _STATEMENTS[schema_editor.connection.vendor]:
        schema_editor.execute(statement, params=None)
