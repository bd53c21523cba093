"""The `extra` column: whatever a row says beyond the known columns, as one JSON object."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST_COMBINATIONS = 2**62
_WORTH = 4
_TO_ESCAPE = r'["\\\x00-\x1f]'


def json_objects(columns: Mapping[str, pa.Array], rows: int) -> pa.Array:
    """One JSON object per row from text columns; NULL and empty texts are left out.

    A row with nothing left is NULL. Keys stand in the order of `columns`.
    """
    if not columns:
        return pa.nulls(rows, pa.string())
    encoded = {name: texts.dictionary_encode() for name, texts in columns.items()}
    alike = _rows_alike(list(encoded.values()), rows)
    if alike is None:
        return _joined([_member(name, texts) for name, texts in encoded.items()])
    firsts, indices = alike
    few = [
        _member(name, pa.DictionaryArray.from_arrays(texts.indices.take(firsts), texts.dictionary))
        for name, texts in encoded.items()
    ]
    return _joined(few).take(indices)


def _joined(members: list[pa.Array]) -> pa.Array:
    # Arrow's null_handling="skip" loses rows whose members are all NULL: they are replaced.
    joined = pc.binary_join_element_wise(
        "{", *members, "}", "", null_handling="replace", null_replacement=""
    )
    objects = pc.replace_substring(joined, "{,", "{", max_replacements=1)
    return pc.if_else(pc.equal(joined, "{}"), None, objects)


def _rows_alike(columns: list[pa.DictionaryArray], rows: int) -> tuple[pa.Array, pa.Array] | None:
    """When most rows repeat others: a row for each distinct combination, and who shares it.

    None when combinations are too many to be worth the while.
    """
    if math.prod(len(each.dictionary) + 1 for each in columns) > _MOST_COMBINATIONS:
        return None
    codes = np.zeros(rows, np.int64)
    for each in columns:
        places = pc.fill_null(each.indices, len(each.dictionary)).to_numpy()
        codes = codes * (len(each.dictionary) + 1) + places
    shared = pa.array(codes).dictionary_encode()
    if len(shared.dictionary) * _WORTH > rows:
        return None
    firsts = np.zeros(len(shared.dictionary), np.int64)
    firsts[shared.indices.to_numpy()[::-1]] = np.arange(rows)[::-1]
    return pa.array(firsts), shared.indices


def _member(name: str, encoded: pa.DictionaryArray) -> pa.Array:
    """`,"name":"text"` per row, worked out once per distinct text; NULL where there is none."""
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
