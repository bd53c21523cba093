from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muhafiz.formats.csv_cells import csv_text, runs_as_formula, safe_cell, write_rows


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "\tx",
        "\rx",
        "\nx",
        " =1",
        "\xa0=1",
        "\u200b=cmd|' /C calc'!A0",
        "\ufeff=1",
        "\uff1d1+1",
        "\uff0b1",
        "\uff0d1",
        "\uff20SUM",
        "\u22121",
        "\x00=1",
        "\x01=1",
        "%0A-3",
    ],
)
def test_a_formula_is_shown_not_run(cell):
    assert safe_cell(cell).startswith("'")


@pytest.mark.parametrize("cell", ["a=1", "203.0.113.7", "AS64500", "\u0627=1", "x\n=1", "", "'=1"])
def test_what_runs_nowhere_stays_as_it_is(cell):
    assert safe_cell(cell) == cell


def test_values_keep_their_meaning():
    assert safe_cell(None) == ""
    assert safe_cell(-5) == "-5"
    assert safe_cell(True) == "True"
    assert safe_cell(datetime(2026, 11, 23, 9, tzinfo=UTC)) == "2026-11-23T09:00:00+00:00"
    assert safe_cell("a\x00b") == "ab"


@given(st.lists(st.lists(st.text(st.characters(codec="utf-8")), min_size=2, max_size=2)))
def test_rows_come_back_and_no_cell_runs(rows):
    text = csv_text(["a", "b"], rows)
    read = list(csv.reader(io.StringIO(text, newline="")))
    assert read == [["a", "b"], *[[safe_cell(cell) for cell in row] for row in rows]]
    assert not any(runs_as_formula(cell) for row in read for cell in row)


def test_lines_end_in_cr_lf_and_stream():
    lines = write_rows(["=a", "b"], ((str(n), "x") for n in range(3)))
    assert next(lines) == "'=a,b\r\n"
    assert next(lines) == "0,x\r\n"
    assert list(lines) == ["1,x\r\n", "2,x\r\n"]
