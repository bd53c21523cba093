"""Exposure over time as a drawing and as the numbers beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from muhafiz.detection.facts import ExposureDay
from muhafiz.web.charts import Drawing, stacked_bars
from muhafiz.web.labels import SEVERITIES
from muhafiz.web.portal.words import SEVERITY_ORDER

_FILLS = {
    "critical": "var(--fill-critical)", "high": "var(--fill-high)",
    "medium": "var(--fill-medium)", "low": "var(--fill-low)", "info": "var(--c6)", "": "var(--c6)",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Trend:
    """Assets a day by severity: a drawing, and its numbers as (day, counts in `names`' order)."""

    drawing: Drawing
    names: tuple[str, ...]
    lines: tuple[tuple[date, tuple[int, ...]], ...]


def trend(
    found: Sequence[ExposureDay], *, first: date, last: date, width: float = 960
) -> Trend | None:
    """The trend between two days; None when nothing was seen."""
    if not found:
        return None
    span = [first + timedelta(days=at) for at in range((last - first).days + 1)]
    counts: dict[str, dict[date, int]] = {}
    for each in found:
        band = counts.setdefault(each.severity, {})
        band[each.day] = band.get(each.day, 0) + each.assets
    names = tuple(name for name in (*SEVERITY_ORDER, "") if name in counts)
    bands = [(_word(name), [counts[name].get(day, 0) for day in span]) for name in names[::-1]]
    lines = tuple(
        (day, tuple(counts[name].get(day, 0) for name in names))
        for day in reversed(span)
        if any(day in counts[name] for name in names)
    )
    drawing = stacked_bars([f"{day:%m-%d}" for day in span], bands, width=width)
    return Trend(_coloured(drawing, names), names, lines)


def _word(name: str) -> str:
    return str(SEVERITIES[name][0]) if name in SEVERITIES else "—"


def _coloured(drawing: Drawing, names: Sequence[str]) -> Drawing:
    """The drawing in the severities' own colours."""
    wanted = dict(zip([fill for _, fill in drawing.legend], names[::-1], strict=False))
    colours = {fill: _FILLS[name] for fill, name in wanted.items()}
    return replace(
        drawing,
        boxes=tuple(replace(box, fill=colours.get(box.fill, box.fill)) for box in drawing.boxes),
        legend=tuple((word, colours.get(fill, fill)) for word, fill in drawing.legend),
    )
