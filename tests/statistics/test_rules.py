"""No figure that is hidden can be computed from what is shown."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muhafiz.statistics.rules import (
    TOTAL,
    Figure,
    Threshold,
    full_weeks,
    protected,
    week_bounds,
    week_name,
)

LIMIT = Threshold(smallest_cell=5, least_organizations=3)


def with_totals(cells):
    """Figures with their totals; organizations are taken as different everywhere."""
    figures = dict(cells)
    for (row, column), figure in cells.items():
        for cell in ((row, TOTAL), (TOTAL, column), (TOTAL, TOTAL)):
            before = figures.get(cell, Figure(0, 0))
            figures[cell] = Figure(
                before.events + figure.events, before.organizations + figure.organizations
            )
    return figures


@st.composite
def tables(draw):
    rows = draw(st.integers(1, 5))
    columns = draw(st.integers(1, 5))
    sizes = st.one_of(st.just(0), st.integers(0, 8), st.integers(0, 500))
    cells = {}
    for row in range(rows):
        for column in range(columns):
            events = draw(sizes)
            owners = draw(st.integers(1, min(events, 6))) if events else 0
            cells[f"r{row}", f"c{column}"] = Figure(events, owners)
    return cells


def computable(table) -> set:
    """The hidden cells that the sums determine, by linear algebra: an attacker's view."""
    hidden = [cell for cell, shown in table.shown.items() if shown is None]
    at = {cell: number for number, cell in enumerate(hidden)}
    relations = []
    for rows, columns, turned in (
        ((*table.rows, TOTAL), (*table.columns, TOTAL), False),
        ((*table.columns, TOTAL), (*table.rows, TOTAL), True),
    ):
        for row in rows:
            relation = np.zeros(len(hidden))
            for column in columns:
                cell = (column, row) if turned else (row, column)
                if cell in at:
                    relation[at[cell]] = -1 if column == TOTAL else 1
            relations.append(relation)
    matrix = np.array(relations)
    rank = np.linalg.matrix_rank(matrix) if hidden else 0
    found = set()
    for cell, number in at.items():
        alone = np.zeros(len(hidden))
        alone[number] = 1
        if np.linalg.matrix_rank(np.vstack([matrix, alone])) == rank:
            found.add(cell)
    return found


@given(tables())
def test_no_hidden_figure_can_be_computed(cells):
    assert computable(protected(with_totals(cells), LIMIT)) == set()


@given(tables())
def test_no_small_figure_is_shown_and_every_shown_one_is_true(cells):
    figures = with_totals(cells)
    table = protected(figures, LIMIT)
    for cell, shown in table.shown.items():
        figure = figures.get(cell, Figure(0, 0))
        assert shown in (None, figure.events)
        if LIMIT.hides(figure):
            assert shown is None


@given(tables())
def test_hidden_cells_of_a_line_are_not_small_together(cells):
    figures = with_totals(cells)
    table = protected(figures, LIMIT)
    for row in (*table.rows, TOTAL):
        if table.shown[row, TOTAL] is not None:
            hidden = [c for c in table.columns if table.shown[row, c] is None]
            together = sum(figures.get((row, c), Figure(0, 0)).events for c in hidden)
            assert together == 0 or together >= LIMIT.smallest_cell


def test_nothing_is_hidden_where_all_cells_are_large():
    cells = {(row, column): Figure(100, 9) for row in "ab" for column in "xy"}
    assert None not in protected(with_totals(cells), LIMIT).shown.values()


def test_a_figure_about_two_organizations_is_hidden_however_large():
    cells = {(row, column): Figure(900, 9) for row in "abc" for column in "xyz"}
    cells["a", "x"] = Figure(5_000, 2)
    shown = protected(with_totals(cells), LIMIT).shown
    hidden = {cell for cell, number in shown.items() if number is None}
    assert ("a", "x") in hidden
    assert len(hidden) == 4, "three more close the circle, no more than needed"


def test_an_empty_table():
    table = protected({}, LIMIT)
    assert (table.rows, table.columns, dict(table.shown)) == ((), (), {(TOTAL, TOTAL): 0})


def test_a_wrong_total_is_refused():
    with pytest.raises(ValueError, match="sum"):
        protected({("a", "x"): Figure(10, 5), ("a", TOTAL): Figure(9, 5)}, LIMIT)


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2026, 11, 23), "2026-W48"),
        (date(2027, 1, 1), "2026-W53"),
        (date(2024, 12, 30), "2025-W01"),
    ],
)
def test_weeks_are_named_as_iso_8601_does(day, name):
    assert week_name(day) == name
    first, last = week_bounds(name)
    assert first.date() <= day < last.date()


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 400))
def test_full_weeks_are_over(day, later):
    now = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    weeks = full_weeks(date.fromordinal(day.toordinal() - later), now)
    assert all(week_bounds(week)[1] <= now for week in weeks)
    assert len(weeks) == len(set(weeks))
    assert week_name(day) not in weeks
