"""The `extra` column: whatever a row says beyond the known columns, as one JSON object."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Mapping

_TO_ESCAPE = r'["\\\x00-\x1f]'


def json_objects(columns: Mapping[str, pa.Array], rows: int) -> pa.Array:
    """One JSON object per row from text columns; NULL and empty texts are left out.

    A row with nothing left is NULL. Keys stand in the order of `columns`.
    """
    if not columns:
        return pa.nulls(rows, pa.string())
    members = [_members(name, texts) for name, texts in columns.items()]
    # Arrow's null_handling="skip" loses rows whose members are all NULL: they are replaced.
    joined = pc.binary_join_element_wise(
        "{", *members, "}", "", null_handling="replace", null_replacement=""
    )
    objects = pc.replace_substring(joined, "{,", "{", max_replacements=1)
    return pc.if_else(pc.equal(joined, "{}"), None, objects)


def _members(name: str, texts: pa.Array) -> pa.Array:
    """`,"name":"text"` per row, worked out once per distinct text."""
    encoded = texts.dictionary_encode()
    distinct = encoded.dictionary
    quoted = pc.binary_join_element_wise('"', _escaped(distinct), '"', "")
    key = f",{orjson.dumps(name).decode()}:"
    member = pc.binary_join_element_wise(key, quoted, "")
    member = pc.if_else(pc.equal(distinct, ""), None, member)
    return member.take(encoded.indices)


def _escaped(texts: pa.Array) -> pa.Array:
    """Texts as they stand between the quotation marks of a JSON string (RFC 8259)."""
    needy = pc.match_substring_regex(texts, _TO_ESCAPE)
    if not pc.any(needy).as_py():
        return texts
    some = pc.filter(texts, needy)
    safe = pa.array([orjson.dumps(text).decode()[1:-1] for text in some.to_pylist()], pa.string())
    return pc.replace_with_mask(texts, pc.fill_null(needy, False), safe)


def merged(first: pa.Array, second: pa.Array) -> pa.Array:
    """Two columns of JSON objects as one; where a key occurs in both, both stay, second last.

    Callers keep the keys apart.
    """
    inner = pc.replace_substring_regex(first, r"\}$", "")
    rest = pc.replace_substring_regex(second, r"^\{", "")
    both = pc.binary_join_element_wise(inner, rest, ",")
    return pc.coalesce(both, first, second)
