"""Applying a mapping to a block's fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from muhafiz.feeds.columns.coded import spelled
from muhafiz.feeds.columns.drafts import Draft
from muhafiz.feeds.columns.extras import json_objects
from muhafiz.feeds.columns.texts import plain_array
from muhafiz.formats.rsit import UNDETERMINED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from muhafiz.feeds.columns.csv_rows import FieldTable
    from muhafiz.feeds.columns.mapping import FieldMapping, When


def draft_of(
    table: FieldTable, mapping: FieldMapping, *, code: str, constants: Mapping[str, str]
) -> Draft:
    """A draft of these fields; fields that no column takes go to `extra`.

    `code` is the report type; `constants` are the source's own, behind the mapping's. Of several
    fields for one column the first is used up; the others fill in where it says nothing.
    """
    fields = table.fields
    there = {
        column: [name for name in names if name in fields.column_names]
        for column, names in mapping.columns.items()
    }
    named = {column: names[0] for column, names in there.items() if names}
    texts = {column: _first_said(fields, there[column]) for column in named}
    if mapping.when:
        texts.update(_by_rules(fields, mapping, texts))
    taken = set(named.values()) | mapping.drop
    rest = {
        name: plain_array(fields.column(name)) for name in fields.column_names if name not in taken
    }
    return Draft(
        rows=table.rows,
        texts=texts,
        extra=json_objects(rest, len(table.rows)),
        aside=table.aside,
        constants={
            **constants,
            "feed_code": code,
            "classification_type": mapping.type or UNDETERMINED,
            "classification_identifier": mapping.identifier,
            **mapping.constants,
        },
        named=named,
        times=mapping.times,
    )


def _first_said(fields: pa.Table, names: Sequence[str]) -> pa.Array:
    """Row by row, what the first of these fields says that says anything."""
    texts = plain_array(fields.column(names[0]))
    for name in names[1:]:
        silent = pc.equal(spelled(texts), "")
        if not pc.any(silent).as_py():
            break
        texts = pc.if_else(silent, spelled(plain_array(fields.column(name))), spelled(texts))
    return texts


def _by_rules(
    fields: pa.Table, mapping: FieldMapping, texts: Mapping[str, pa.Array]
) -> dict[str, pa.Array]:
    """Types and identifiers of the rows for which a rule holds; the first that holds wins."""
    none = pa.nulls(fields.num_rows, pa.string())
    types = spelled(texts.get("classification_type", none))
    identifiers = spelled(texts.get("classification_identifier", none))
    for rule in reversed(mapping.when):
        if rule.field in fields.column_names:
            holds = _holds(plain_array(fields.column(rule.field)), rule)
            types = pc.if_else(holds, rule.type, types)
            if rule.identifier:
                identifiers = pc.if_else(holds, rule.identifier, identifiers)
    return {"classification_type": types, "classification_identifier": identifiers}


def _holds(texts: pa.Array, rule: When) -> pa.Array:
    encoded = texts.dictionary_encode()
    plain = pc.ascii_lower(pc.utf8_trim_whitespace(encoded.dictionary))
    return pc.is_in(plain, value_set=pa.array(rule.equals, pa.string())).take(encoded.indices)
