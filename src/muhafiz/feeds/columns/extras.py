"""The `extra` column: whatever a row says beyond the known columns, as one JSON object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from muhafiz.feeds.columns.coded import coded, spelled

if TYPE_CHECKING:
    from collections.abc import Mapping

_WORTH = 4
# Arrow's own scalars: a Python text is looked at anew, with imports that fail, at every call.
_EMPTY, _MARK, _OPEN, _CLOSE = (pa.scalar(text) for text in ("", '"', "{", "}"))
_NOTHING = pa.scalar(None, pa.string())
_TO_ESCAPE = r'["\\\x00-\x1f]'


def json_objects(columns: Mapping[str, pa.Array], rows: int) -> pa.Array:
    """One JSON object per row from text columns, coded where they repeat.

    NULL and empty texts are left out.

    A row with nothing left is NULL. Keys stand in the order of `columns`. Columns are taken
    together as long as most rows repeat others: their part of the object is written only once for
    each combination.
    """
    if not columns:
        return pa.nulls(rows, pa.string())
    encoded = [(name, texts.dictionary_encode()) for name, texts in columns.items()]
    parts = [_part(group) for group in _groups(encoded, rows)]
    if len(parts) == 1:
        return coded(_closed([parts[0].texts]), parts[0].indices)
    if pc.any(pc.equal(parts[0].texts, _EMPTY)).as_py():
        return _closed([part.texts.take(part.indices) for part in parts])
    parts[0].texts = _opened(pc.binary_join_element_wise(_OPEN, parts[0].texts, _EMPTY))
    parts[-1].texts = pc.binary_join_element_wise(parts[-1].texts, _CLOSE, _EMPTY)
    return pc.binary_join_element_wise(*(part.texts.take(part.indices) for part in parts), _EMPTY)


@dataclass(slots=True)
class _Group:
    """Columns taken together: `codes` number the combinations, below `span`."""

    columns: list[tuple[str, pa.DictionaryArray]]
    codes: Any
    span: int


@dataclass(slots=True)
class _Part:
    """A group's part of the object by combination, never NULL, and each row's combination."""

    texts: pa.Array
    indices: pa.Array


def _groups(columns: list[tuple[str, pa.DictionaryArray]], rows: int) -> list[_Group]:
    found: list[_Group] = []
    for name, texts in columns:
        size = len(texts.dictionary) + 1
        places = pc.fill_null(texts.indices, size - 1).to_numpy().astype(np.int64)
        joined = _joined(found[-1], places, size, rows) if found else None
        if joined is None:
            found.append(_Group([(name, texts)], places, size))
        else:
            group = found[-1]
            group.columns.append((name, texts))
            group.codes, group.span = joined
    return found


def _joined(group: _Group, places: Any, size: int, rows: int) -> tuple[Any, int] | None:
    """The group's combinations with another column's, or None when they are too many."""
    if group.span * _WORTH > rows:
        return None
    codes, span = group.codes * size + places, group.span * size
    if span * _WORTH > rows:
        shared = pa.array(codes).dictionary_encode()
        codes, span = shared.indices.to_numpy().astype(np.int64), len(shared.dictionary)
    return (codes, span) if span * _WORTH <= rows else None


def _part(group: _Group) -> _Part:
    if len(group.columns) == 1:
        name, texts = group.columns[0]
        none = pa.array([None], pa.string())
        distinct = pa.concat_arrays([texts.dictionary.cast(pa.string()), none])
        return _Part(pc.fill_null(_member(name, distinct), _EMPTY), pa.array(group.codes))
    firsts = np.zeros(group.span, np.int64)  # codes that do not occur may say anything
    firsts[group.codes[::-1]] = np.arange(len(group.codes))[::-1]
    rows = pa.array(firsts)
    members = [
        _member(name, texts.dictionary).take(texts.indices.take(rows))
        for name, texts in group.columns
    ]
    texts = pc.binary_join_element_wise(*members, _EMPTY, null_handling="replace")
    return _Part(texts, pa.array(group.codes))


def _closed(parts: list[pa.Array]) -> pa.Array:
    joined = pc.binary_join_element_wise(_OPEN, *parts, _CLOSE, _EMPTY)
    return pc.if_else(pc.equal(joined, pa.scalar("{}")), _NOTHING, _opened(joined))


def _opened(objects: pa.Array) -> pa.Array:
    """Without the comma before the first member."""
    return pc.replace_substring(objects, "{,", "{", max_replacements=1)


def _member(name: str, distinct: pa.Array) -> pa.Array:
    """`,"name":"text"` for each text; NULL where there is none."""
    key = pa.scalar(f',{orjson.dumps(name).decode()}:"')
    member = pc.binary_join_element_wise(key, _escaped(distinct), _MARK, _EMPTY)
    return pc.if_else(pc.equal(distinct, _EMPTY), _NOTHING, member)


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
    first, second = spelled(first), spelled(second)
    inner = pc.replace_substring_regex(first, r"\}$", "")
    rest = pc.replace_substring_regex(second, r"^\{", "")
    both = pc.binary_join_element_wise(inner, rest, ",")
    return pc.coalesce(both, first, second)
