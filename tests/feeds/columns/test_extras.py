"""Left-over columns become JSON that a JSON reader reads back."""

from __future__ import annotations

import json

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from muhafiz.feeds.columns import extras

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)


@given(rows=st.lists(st.tuples(TEXT, st.sampled_from(["", "a", '"']), TEXT), max_size=30))
@settings(max_examples=200)
def test_every_row_reads_back_without_its_empty_members(rows: list[tuple[str, str, str]]) -> None:
    names = ("first", 'se"cond', "third")
    columns = {
        name: pa.array([row[at] for row in rows], pa.string()) for at, name in enumerate(names)
    }
    found = extras.json_objects(columns, len(rows)).to_pylist()
    expected = [{n: v for n, v in zip(names, row, strict=True) if v} or None for row in rows]
    assert [None if text is None else json.loads(text) for text in found] == expected


def test_repeated_rows_give_what_single_rows_give() -> None:
    columns = {"a": ["x", "", "y"], "b": ["", "", "z"]}
    once = extras.json_objects({n: pa.array(v) for n, v in columns.items()}, 3)
    often = extras.json_objects({n: pa.array(v * 50) for n, v in columns.items()}, 150)
    assert often.to_pylist() == once.to_pylist() * 50


def test_no_columns_are_nothing() -> None:
    assert extras.json_objects({}, 2).to_pylist() == [None, None]


def test_two_objects_become_one() -> None:
    first = pa.array(['{"a":1}', None, '{"a":"}"}', None])
    second = pa.array(['{"b":2}', '{"b":"{"}', None, None])
    merged = extras.merged(first, second).to_pylist()
    assert merged == ['{"a":1,"b":2}', '{"b":"{"}', '{"a":"}"}', None]
