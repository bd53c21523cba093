"""Applying field names to a block's JSON objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from muhafiz.feeds.columns.drafts import Draft
from muhafiz.feeds.columns.json_rows import json_text, text_column
from muhafiz.feeds.columns.records import row_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from muhafiz.feeds.columns.json_rows import ObjectTable
    from muhafiz.feeds.sources import Block

    Names = Mapping[str, tuple[str, ...]]


def flatten(found: dict[str, Any]) -> dict[str, Any]:
    """Nested objects as dotted names: {"a": {"b": 1}} → {"a.b": 1}; lists stay."""
    if not any(type(value) is dict for value in found.values()):
        return found
    flat: dict[str, Any] = {}
    for key, value in found.items():
        if type(value) is dict:
            flat.update((f"{key}.{below}", each) for below, each in flatten(value).items())
        else:
            flat[key] = value
    return flat


def draft_of_objects(
    table: ObjectTable,
    block: Block,
    columns: Names,
    *,
    constants: Mapping[str, str | None],
    drop: Sequence[str] = (),
) -> Draft:
    """A draft of flat objects, which are used up; the first name that says something wins.

    What no column takes goes to `extra`. An object or list where a plain value belongs sets its
    row aside ("shape").
    """
    objects = table.objects
    for name in drop:
        for each in objects:
            each.pop(name, None)
    refused: set[int] = set()
    texts: dict[str, pa.Array] = {}
    for column, names in columns.items():
        values = _values(objects, names)
        if values is None:
            continue
        texts[column] = text_column(values, _refusing(table, block, column, names[0], refused))
    extra = pa.array([json_text(each) for each in objects], pa.string())
    draft = Draft(
        rows=table.rows,
        texts=texts,
        extra=extra,
        aside=table.aside,
        constants=constants,
        named={column: names[0] for column, names in columns.items()},
    )
    return _without(draft, refused) if refused else draft


def _values(objects: list[dict[str, Any]], names: tuple[str, ...]) -> list[Any] | None:
    """What the objects say under these names, or None when none says anything."""
    values = [each.pop(names[0], None) for each in objects]
    for name in names[1:]:
        for index, each in enumerate(objects):
            if values[index] in (None, "") and name in each:
                values[index] = each.pop(name)
    return values if any(value is not None for value in values) else None


def _refusing(table: ObjectTable, block: Block, column: str, name: str, refused: set[int]) -> Any:
    def refuse(index: int) -> None:
        row = int(table.rows[index])
        place = int(np.searchsorted(block.positions, row))
        detail = f"an object or a list cannot be read as {column}"
        table.aside.add(row, "shape", detail, row_bytes(block, place), column=name)
        refused.add(index)

    return refuse


def _without(draft: Draft, refused: set[int]) -> Draft:
    keep = np.ones(len(draft.rows), dtype=bool)
    keep[list(refused)] = False
    mask = pa.array(keep)
    return Draft(
        rows=draft.rows[keep],
        texts={name: texts.filter(mask) for name, texts in draft.texts.items()},
        extra=draft.extra.filter(mask),
        aside=draft.aside,
        constants=draft.constants,
        named=draft.named,
    )
