"""Quotation marks told sound for a whole block: agreed with the reading row by row."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muhafiz.feeds.columns import quotes
from muhafiz.feeds.columns.csv_rows import split_row
from muhafiz.feeds.columns.quotes import sound_quotes

_FIELD = st.sampled_from(['"a"', '""', "", "plain", '"a""b"', '"a,b"', '""""', 'a"b', '"a"b', '"'])
_ROWS = st.lists(st.lists(_FIELD, min_size=1, max_size=9), min_size=1, max_size=30)


@given(rows=_ROWS, end=st.sampled_from(["\n", "\r\n"]))
def test_sound_is_only_what_every_row_alone_says(rows: list[list[str]], end: str) -> None:
    lines = [",".join(fields) for fields in rows]
    told = sound_quotes("".join(line + end for line in lines).encode(), ord(","))
    assert not told or all(split_row(line) is not None for line in lines)


@given(rows=_ROWS)
def test_rows_of_whole_fields_are_sound_wherever_pieces_end(rows: list[list[str]]) -> None:
    whole = [[f for f in fields if f not in {'a"b', '"a"b', '"'}] or ["x"] for fields in rows]
    data = "".join(",".join(fields) + "\n" for fields in whole).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quotes, "_PIECE", 64)
        assert sound_quotes(data, ord(","))


@pytest.mark.parametrize(
    "data",
    [b'"a\nb"\n', b'"a\n', b'a"b"\n', b'"a"b,"c"\n', b'"a" ,b\n', b"x" * 63 + b'"\n', b'"a"\rb"\n'],
)  # fmt: skip
def test_unsound_by_example(data: bytes) -> None:
    assert not sound_quotes(data, ord(","))
