"""Figures that protect: which cells of a table are hidden so that nobody is recognized. Pure.

A cell is *small* when few events or few organizations stand behind it. Hiding the small cells
alone protects nothing where totals are shown beside them: what is hidden is the total less the
rest. So further cells are hidden, the least telling first, until no hidden cell can be computed
from what is shown (complementary suppression; Willenborg and de Waal, "Elements of Statistical
Disclosure Control", 2001, chapter 4).

A table with its totals is a graph: every row and every column (the totals among them) is a node,
every hidden cell an edge from its row to its column. A hidden cell can be computed exactly when
its edge is a bridge, that is, when it lies on no circle of hidden cells.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

#: The row or column of totals.
TOTAL = ""

Cell = tuple[str, str]
_Node = tuple[str, str]  # ("row", its name) or ("column", its name)


@dataclass(frozen=True, slots=True)
class Figure:
    """How many events, and how many different organizations they are about."""

    events: int
    organizations: int


@dataclass(frozen=True, slots=True)
class Threshold:
    """Below which a figure is small: fewer events, or fewer organizations, than these."""

    smallest_cell: int
    least_organizations: int

    def hides(self, figure: Figure) -> bool:
        """Whether a figure is small. Nothing at all tells on nobody."""
        few = figure.events < self.smallest_cell or figure.organizations < self.least_organizations
        return figure.events > 0 and few


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it may be shown: None stands where a figure is hidden. Totals stand in `TOTAL`."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    shown: Mapping[Cell, int | None]

    def line(self, row: str) -> list[int | None]:
        """The row's cells in the order of the columns, its total last."""
        return [self.shown[row, column] for column in (*self.columns, TOTAL)]


def protected(figures: Mapping[Cell, Figure], threshold: Threshold) -> Table:
    """The table of `figures` ((row, column) → figure) with its totals, small cells hidden.

    `figures` holds the totals as well, under `TOTAL`: organizations cannot be added up, since one
    of them may stand in several cells. Cells that are absent are empty.

    Raises:
        ValueError: a total is not the sum of its cells.
    """
    rows, columns = _names(row for row, _ in figures), _names(column for _, column in figures)
    nothing = Figure(0, 0)
    whole = {
        (row, column): figures.get((row, column), nothing)
        for row in (*rows, TOTAL)
        for column in (*columns, TOTAL)
    }
    _check_totals(whole, rows, columns)
    hidden = {cell for cell, figure in whole.items() if threshold.hides(figure)}
    while more := _to_hide_next(whole, hidden, threshold):
        hidden |= more
    shown = {cell: None if cell in hidden else figure.events for cell, figure in whole.items()}
    return Table(rows, columns, shown)


def _names(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in found if name != TOTAL))


def _check_totals(
    whole: Mapping[Cell, Figure], rows: Iterable[str], columns: Iterable[str]
) -> None:
    for line in _lines((*rows, TOTAL), (*columns, TOTAL)):
        *parts, total = line
        if whole[total].events != sum(whole[cell].events for cell in parts):
            raise ValueError(f"The total of {total} is not the sum of its cells.")


def _lines(rows: tuple[str, ...], columns: tuple[str, ...]) -> Iterator[list[Cell]]:
    """Every row and every column, its total last."""
    yield from ([(row, column) for column in columns] for row in rows)
    yield from ([(row, column) for row in rows] for column in columns)


def _to_hide_next(
    whole: Mapping[Cell, Figure], hidden: set[Cell], threshold: Threshold
) -> set[Cell]:
    """The cells to hide next; none when nothing hidden can be computed any more.

    The hidden cells of a line are told together, as its total less the rest: their sum must not be
    small either.
    """
    for cell in sorted(hidden):
        if circle := _missing_for_circle(cell, whole, hidden):
            return circle
    for *parts, total in _lines_of(whole):
        told = sum(whole[cell].events for cell in parts if cell in hidden)
        if total not in hidden and 0 < told < threshold.smallest_cell:
            open_parts = [cell for cell in parts if cell not in hidden] or [total]
            return {min(open_parts, key=lambda cell: _loss(cell, whole[cell]))}
    return set()


def _lines_of(whole: Mapping[Cell, Figure]) -> Iterator[list[Cell]]:
    rows = tuple(dict.fromkeys(row for row, _ in whole))
    columns = tuple(dict.fromkeys(column for _, column in whole))
    return _lines(rows, columns)


def _loss(cell: Cell, figure: Figure) -> tuple[int, int, int]:
    """What hiding a cell costs the reader: a total or an empty cell most, then each event."""
    return ((cell[0] == TOTAL) + (cell[1] == TOTAL) + (figure.events == 0), 1, figure.events)


def _missing_for_circle(bridge: Cell, whole: Mapping[Cell, Figure], hidden: set[Cell]) -> set[Cell]:
    """The open cells of the cheapest circle through a hidden cell (Dijkstra); none: it has one."""
    row, column = ("row", bridge[0]), ("column", bridge[1])
    beside: dict[_Node, list[tuple[_Node, Cell]]] = defaultdict(list)
    for cell in whole:
        if cell != bridge:
            ends = ("row", cell[0]), ("column", cell[1])
            beside[ends[0]].append((ends[1], cell))
            beside[ends[1]].append((ends[0], cell))
    ahead: list[tuple[tuple[int, int, int], _Node, tuple[Cell, ...]]] = [((0, 0, 0), row, ())]
    done: set[_Node] = set()
    while ahead:
        cost, node, way = heapq.heappop(ahead)
        if node == column:
            return set(way)
        if node in done:
            continue
        done.add(node)
        for other, cell in beside[node]:
            if cell in hidden:
                heapq.heappush(ahead, (cost, other, way))
            else:
                step = _loss(cell, whole[cell])
                dearer = (cost[0] + step[0], cost[1] + step[1], cost[2] + step[2])
                heapq.heappush(ahead, (dearer, other, (*way, cell)))
    return set()


def week_name(day: date) -> str:
    """The ISO 8601 week of a day: "2026-W47"."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def week_bounds(week: str) -> tuple[datetime, datetime]:
    """First moment of an ISO week and of the next, UTC.

    Raises:
        ValueError: it is no ISO week.
    """
    year, _, number = week.partition("-W")
    monday = datetime.combine(date.fromisocalendar(int(year), int(number), 1), time(), UTC)
    return monday, monday + timedelta(days=7)


def full_weeks(since: date, now: datetime) -> list[str]:
    """The ISO weeks from that of `since` on which are over, oldest first."""
    monday = since - timedelta(days=since.weekday())
    this_monday = now.astimezone(UTC).date() - timedelta(days=now.astimezone(UTC).weekday())
    return [
        week_name(monday + timedelta(weeks=number))
        for number in range((this_monday - monday).days // 7)
    ]
