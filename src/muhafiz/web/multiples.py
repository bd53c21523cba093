"""Small multiples: many short series side by side on one scale, so that they can be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from muhafiz.web.charts import Box, Drawing, Line, nice_top

_WIDTH, _HEIGHT, _FOOT = 180.0, 56.0, 52.0


@dataclass(frozen=True, slots=True)
class Multiple:
    """One of them: its name, its last value, and how much that is above the one before."""

    name: str
    values: tuple[int, ...]
    last: int
    change: int
    drawing: Drawing


def multiples(ticks: Sequence[str], series: Mapping[str, Sequence[int]]) -> list[Multiple]:
    """A drawing for each series, all on the scale of the largest; the fullest series first."""
    ceiling = nice_top(max((max(values, default=0) for values in series.values()), default=0))
    ordered = sorted(series.items(), key=lambda each: (-sum(each[1]), each[0]))
    return [
        Multiple(
            name=name,
            values=tuple(values),
            last=values[-1] if values else 0,
            change=values[-1] - values[-2] if len(values) > 1 else 0,
            drawing=_bars(ticks, values, ceiling),
        )
        for name, values in ordered
    ]


def _bars(ticks: Sequence[str], values: Sequence[int], ceiling: int) -> Drawing:
    step = _WIDTH / max(1, len(ticks))
    boxes = tuple(
        Box(
            at * step + step * 0.1,
            _FOOT - value * (_FOOT - 4) / ceiling,
            step * 0.8,
            max(value * (_FOOT - 4) / ceiling, 0.8),
            "var(--c1)" if at == len(ticks) - 1 else "var(--c6)",
            f"{tick}: {value:,}",
        )
        for at, (tick, value) in enumerate(zip(ticks, values, strict=True))
        if value > 0
    )
    return Drawing(_WIDTH, _HEIGHT, boxes=boxes, lines=(Line(0, _FOOT, _WIDTH, _FOOT, "axis"),))
