"""Many rows written at once: one statement for each lot, one line of history for each item."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from muhafiz.common.rows import insert_rows
from muhafiz.triage.models import Item, ItemNote

_AT_ONCE = 200


def change_items(rows: Sequence[Item], fields: Sequence[str], *, by: str, now: datetime) -> None:
    """Write these fields of rows that the caller holds locked; each gets its next version.

    `by` is the name of the officer who did it; empty: the platform.
    """
    for row in rows:
        row.version += 1
        row.changed_by, row.changed_at = by, now
    write_items(rows, (*fields, "version", "changed_by", "changed_at"))


def write_items(rows: Sequence[Item], fields: Sequence[str]) -> None:
    """Write these fields of known rows."""
    Item.objects.bulk_create(
        rows,
        batch_size=_AT_ONCE,
        update_conflicts=True,
        unique_fields=["pk"],
        update_fields=list(fields),
    )


def append_lines(lines: Sequence[ItemNote]) -> None:
    """Append to the histories of items."""
    insert_rows(lines)
