"""Cutting: rows are whole, blocks are bounded, one bad row costs one row."""

from __future__ import annotations

import hashlib
import io
import tracemalloc
from datetime import UTC, datetime

import numpy as np
import pytest

from muhafiz.feeds.columns import chunks, csv_rows, elements, records
from muhafiz.feeds.columns.aside import ROW_BYTES
from muhafiz.feeds.sources import Block, ParseContext

NOW = datetime(2026, 11, 23, tzinfo=UTC)


class Dripping(io.RawIOBase):
    """A stream that gives a few bytes at a time, and never ends before `size` bytes of `unit`."""

    def __init__(self, raw: bytes, step: int) -> None:
        super().__init__()
        self._inner = io.BytesIO(raw)
        self._step = step

    def read(self, size: int = -1) -> bytes:
        return self._inner.read(min(self._step, size))


class LongLine(io.RawIOBase):
    """A header, one endless row made on the fly, and one good row."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._left = size
        self._stage = 0

    def read(self, size: int = -1) -> bytes:
        if self._stage == 0:
            self._stage = 1
            return b"timestamp,ip\n"
        if self._left:
            piece = min(size, self._left, 1 << 20)
            self._left -= piece
            return b"a" * piece
        self._stage += 1
        return b"\n2026-11-22 00:00:00,192.0.2.1\n" if self._stage == 2 else b""


def blocks(raw: bytes, rows: int = 10, step: int = 1 << 20) -> list[Block]:
    context = ParseContext("x", NOW, rows)
    return list(csv_rows.csv_blocks(Dripping(raw, step), context))


def lines(found: list[Block]) -> list[bytes]:
    return [records.row_bytes(block, at) for block in found for at in range(len(block.ends))]


def test_blocks_hold_as_many_rows_as_asked_and_count_on() -> None:
    found = blocks(b"a,b\n" + b"1,2\n" * 25)
    assert [(b.number, b.first_row, b.rows) for b in found] == [(0, 1, 10), (1, 11, 10), (2, 21, 5)]


def test_blank_lines_are_no_rows() -> None:
    assert lines(blocks(b"\r\n\na,b\n\n1,2\n\r\n\n3,4")) == [b"1,2", b"3,4"]


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
def test_all_line_ends(ending: bytes) -> None:
    raw = ending.join([b"a,b", b"1,2", b"3,4", b""])
    assert lines(blocks(raw)) == [b"1,2", b"3,4"]


@pytest.mark.parametrize("step", [1, 2, 7, 1000])
def test_quoted_line_feeds_stay_in_their_row_however_the_stream_drips(
    step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 16)
    raw = b'a,b\n"x\ny\n,","z"\n1,2\n"p\n","q\n"\n'
    assert lines(blocks(raw, step=step)) == [b'"x\ny\n,","z"', b"1,2", b'"p\n","q\n"']


def test_a_stray_quote_costs_its_own_row_only() -> None:
    raw = b'a,b\n1,2\n"open,3\n4,5\n6,"7\n8"\n9,10\n'
    assert lines(blocks(raw)) == [b"1,2", b'"open,3', b"4,5", b'6,"7\n8"', b"9,10"]


def test_ten_thousand_stray_quotes_are_cut_in_linear_time() -> None:
    raw = b"a,b\n" + b'"open,3\nx,y\n' * 10_000
    assert sum(block.rows for block in blocks(raw, rows=100_000)) == 20_000


def test_a_row_of_two_hundred_megabytes_is_measured_and_not_kept() -> None:
    size = 200 * 1024 * 1024
    tracemalloc.start()
    context = ParseContext("x", NOW, 10)
    found = list(csv_rows.csv_blocks(LongLine(size), context))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    aside = found[0].apart.to_pylist()
    digest = hashlib.sha256(b"a" * size).hexdigest()
    assert [(r["row"], r["reason"], len(r["raw"])) for r in aside] == [(1, "too-long", 4096)]
    assert aside[0]["detail"] == f"{size} bytes, SHA-256 {digest}"
    assert lines(found) == [b"2026-11-22 00:00:00,192.0.2.1"]
    assert found[0].rows == 2
    assert found[0].positions.tolist() == [2]
    assert peak < 64 * 1024 * 1024


def test_a_long_row_within_one_chunk_is_set_aside_alike() -> None:
    raw = b"a,b\n1,2\n" + b"x" * (ROW_BYTES + 1) + b"\n3,4\n"
    found = blocks(raw)
    assert [r["row"] for r in found[0].apart.to_pylist()] == [2]
    assert found[0].positions.tolist() == [1, 3]


def test_a_block_is_closed_before_it_holds_too_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "BLOCK_BYTES", 10)
    found = blocks(b"a,b\n" + b"1,2\n" * 5, rows=100)
    assert [b.rows for b in found] == [2, 2, 1]
    assert all(len(b.data) <= 10 for b in found)


def test_a_row_larger_than_a_block_is_a_block_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "BLOCK_BYTES", 6)
    found = blocks(b"a,b\n1,2\n" + b"3,4567890\n" + b"1,2\n", rows=100)
    assert [b.rows for b in found] == [1, 1, 1]


@pytest.mark.parametrize("raw", [b"", b"\n\n", b"a,b", b"a,b\n", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_a_report_without_rows_is_one_empty_block(raw: bytes) -> None:
    found = blocks(raw)
    assert [(b.first_row, b.rows) for b in found] == [(1, 0)]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_byte_order_marks_are_obeyed(encoding: str) -> None:
    text = "a,b\n日本,2\n"
    raw = ("\ufeff" + text).encode(encoding) if encoding == "utf-16-be" else text.encode(encoding)
    found = blocks(raw)
    assert found[0].shape.names == ("a", "b")
    assert lines(found) == ["日本,2".encode()]


@pytest.mark.parametrize("size", [1, 3, 5, 64])
def test_json_objects_are_cut_wherever_a_chunk_ends(size: int) -> None:
    objects = [b'{"a":"}{\\"]\\\\"}', b'{"b":[1,{"c":2}]}', b"{}"]
    raw = b" [" + b" ,\n".join(objects) + b"]\n"
    pieces = [raw[at : at + size] for at in range(0, len(raw), size)]
    found = [rows for rows in elements.cut_elements(pieces) if isinstance(rows, records.Rows)]
    assert b"".join(rows.data for rows in found).split(b"\n")[:-1] == objects
    assert np.sum([len(rows.ends) for rows in found]) == 3


def test_a_long_json_object_is_measured_and_the_next_is_read() -> None:
    raw = b'[{"a":"' + b"x" * 500 + b'"},{"b":1}]'
    pieces = [raw[at : at + 50] for at in range(0, len(raw), 50)]
    found = list(elements.cut_elements(pieces, row_limit=100))
    assert [type(each).__name__ for each in found] == ["LongRow", "Rows"]
    assert found[0].length == 508
    assert found[1].data == b'{"b":1}\n'
