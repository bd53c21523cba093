"""Many rows into one table at once.

Django's `bulk_create` prepares every value of every row anew and builds a syntax tree of it: about
70 µs a row, where 100,000 letters need four rows each. Here a column is prepared at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, Final

from django.db import connection, models
from django.db.models.constants import OnConflict

#: Values of these fields go to the database driver as they are.
_PLAIN: Final = (models.CharField, models.TextField, models.IntegerField, models.BooleanField)
_MOST_ROWS: Final = 500  # in one statement


def insert_rows(rows: Sequence[models.Model], *, ignore_conflicts: bool = False) -> None:
    """Insert rows of one model, within the caller's transaction; keys are filled in.

    No signals are sent, and nothing is asked of `pre_save`. With `ignore_conflicts`, a row that
    breaks a unique constraint is left out silently, and no keys are filled in.

    Raises:
        IntegrityError: a row breaks a constraint, and `ignore_conflicts` is not set.
    """
    if not rows:
        return
    meta: Any = rows[0]._meta  # noqa: SLF001 - Django's public name for it
    numbered = rows[0].pk is None
    fields = [f for f in meta.concrete_fields if not (numbered and f.primary_key)]
    prepared = _prepared(rows, fields)
    most = connection.features.max_query_params
    at_once = min(_MOST_ROWS, most // len(fields)) if most else _MOST_ROWS
    conflict = OnConflict.IGNORE if ignore_conflicts else None
    lead, tail = _statement(meta.db_table, fields, conflict)
    returning = numbered and not ignore_conflicts
    if returning:
        tail = f" RETURNING {connection.ops.quote_name(meta.pk.column)}"
    line = f"({', '.join(['%s'] * len(fields))})"
    with connection.cursor() as cursor:
        for start in range(0, len(rows), at_once):
            part = prepared[start : start + at_once]
            values = [value for row in part for value in row]
            cursor.execute(f"{lead} {', '.join([line] * len(part))}{tail}", values)
            if returning:
                for row, (key,) in zip(rows[start:], cursor.fetchall(), strict=False):
                    row.pk = key
    for row in rows:
        row._state.adding = False  # noqa: SLF001 - as bulk_create does


def _statement(table: str, fields: Sequence[Any], conflict: Any) -> tuple[str, str]:
    """What stands before and after the values."""
    quoted = connection.ops.quote_name
    names = ", ".join(quoted(field.column) for field in fields)
    insert = connection.ops.insert_statement(on_conflict=conflict)
    lead = f"{insert} {quoted(table)} ({names}) VALUES"
    suffix = connection.ops.on_conflict_suffix_sql(fields, conflict, [], []) if conflict else ""
    return lead, f" {suffix}" if suffix else ""


def _prepared(rows: Sequence[models.Model], fields: Sequence[Any]) -> list[tuple[Any, ...]]:
    """The rows' values as the driver takes them."""
    taken = map(attrgetter(*(field.attname for field in fields)), rows)
    columns: list[Any] = list(zip(*taken, strict=True))
    for place, field in enumerate(fields):
        target = field.target_field if field.is_relation else field
        if isinstance(target, models.DateTimeField):
            columns[place] = _each_once(field.get_db_prep_save, columns[place])
        elif not isinstance(target, _PLAIN):
            columns[place] = [field.get_db_prep_save(v, connection) for v in columns[place]]
    return list(zip(*columns, strict=True))


def _each_once(prepare: Callable[..., Any], values: Sequence[Any]) -> list[Any]:
    known = {value: prepare(value, connection) for value in set(values)}
    return [known[value] for value in values]
