"""Drawings as plain geometry: what the chart templates write as SVG. No colours but tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

# The drawing itself runs left to right; a mirrored label is isolated right to left (UAX #9).
_RLI, _PDI = "\u2067", "\u2069"

_LEFT, _TOP, _FOOT = 44.0, 10.0, 24.0  # a series' margins
_LETTER = 11.0  # about the width of a digit where a small drawing is given large letters

FILLS = ("var(--c1)", "var(--c2)", "var(--c3)", "var(--c4)", "var(--c5)", "var(--c6)")


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle. Lengths in the drawing's own units."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Stream:
    """A filled curve from one box to another."""

    path: str
    fill: str
    look: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """A text. `anchor` is start, middle or end; `look` strong, figure or empty."""

    x: float
    y: float
    text: str
    anchor: str = "start"
    look: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line."""

    x1: float
    y1: float
    x2: float
    y2: float
    look: str = "gridline"


@dataclass(frozen=True, slots=True)
class Slot:
    """One step of a series' time: a link over the full height, from `first` to before `last`."""

    x: float
    y: float
    width: float
    height: float
    title: str
    address: str
    first: str
    last: str
    events: int


@dataclass(frozen=True, slots=True)
class Drawing:
    """One chart: size, shapes, texts; `legend` pairs words with fills."""

    width: float
    height: float
    boxes: tuple[Box, ...] = ()
    streams: tuple[Stream, ...] = ()
    labels: tuple[Label, ...] = ()
    lines: tuple[Line, ...] = ()
    legend: tuple[tuple[str, str], ...] = ()
    slots: tuple[Slot, ...] = ()


def curve(start: tuple[float, float, float], end: tuple[float, float, float]) -> str:
    """SVG path of a band from (x, top, thickness) to (x, top, thickness)."""
    (x0, y0, h0), (x1, y1, h1) = start, end
    middle = (x0 + x1) / 2
    return (
        f"M{x0:.1f} {y0:.1f}C{middle:.1f} {y0:.1f} {middle:.1f} {y1:.1f} {x1:.1f} {y1:.1f}"
        f"V{y1 + h1:.1f}C{middle:.1f} {y1 + h1:.1f} {middle:.1f} {y0 + h0:.1f} "
        f"{x0:.1f} {y0 + h0:.1f}Z"
    )


#: A scale's tops, as hundredths of a power of ten; the quarters of each are whole.
_TOPS = (100, 120, 160, 200, 240, 280, 320, 400, 480, 600, 800)


def nice_top(value: float) -> int:
    """The least round number not below `value` whose quarters are whole; 1 or 2 for that little."""
    if value <= 2:  # noqa: PLR2004 - no quarters of one or two events
        return 2 if value > 1 else 1
    for least in (4, 8, 12, 16, 20, 24, 28, 32, 40, 48, 60, 80):
        if least >= value:
            return least
    power = 1
    while True:
        for step in _TOPS:
            if step * power >= value:
                return step * power
        power *= 10


def short(value: float) -> str:
    """A number for an axis: 950, 1.2k, 3M."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"


def stacked_bars(
    ticks: Sequence[str],
    bands: Sequence[tuple[str, Sequence[int]]],
    *,
    width: float = 960,
    height: float = 220,
    fills: Sequence[str] = FILLS,
) -> Drawing:
    """Bars over time, one a tick; `bands` (name, a count a tick) stacked, the first at the foot."""
    left, top, foot = _LEFT, _TOP, height - _FOOT
    totals = [sum(counts[at] for _, counts in bands) for at in range(len(ticks))]
    ceiling = nice_top(max(totals, default=0))
    step = (width - left) / max(1, len(ticks))
    scale = (foot - top) / ceiling
    boxes: list[Box] = []
    for at, tick in enumerate(ticks):
        y = foot
        for band, (name, counts) in enumerate(bands):
            tall = counts[at] * scale
            if tall > 0:
                y -= tall
                boxes.append(
                    Box(
                        left + at * step + step * 0.12,
                        y,
                        step * 0.76,
                        max(tall - 0.6, 0.8),
                        fills[band % len(fills)],
                        f"{tick} · {name}: {counts[at]:,}",
                    )
                )
    every = _every(ticks, width - left)
    marks = [
        _mark(left + at * step + step / 2, height - 6, tick, width)
        for at, tick in enumerate(ticks)
        if (len(ticks) - 1 - at) % every == 0
    ]
    return Drawing(
        width,
        height,
        boxes=tuple(boxes),
        labels=(*_scale_labels(ceiling, left, top, foot), *marks),
        lines=_scale_lines(left, width, top, foot),
        legend=tuple((name, fills[at % len(fills)]) for at, (name, _) in enumerate(bands)),
    )


def _every(ticks: Sequence[str], room: float) -> int:
    """Every how many bars a word has room: at most eight words, and none runs into the next."""
    wide = max(map(len, ticks), default=0) * _LETTER + 8
    most = max(1, min(8, int(room // wide)))
    return -(-len(ticks) // most) or 1


def _mark(x: float, y: float, tick: str, width: float) -> Label:
    """A word under its bar; at the drawing's end it ends there, or it would be cut off."""
    half = len(tick) * _LETTER / 2
    return Label(width, y, tick, "end") if x + half > width else Label(x, y, tick, "middle")


@dataclass(frozen=True, slots=True)
class Step:
    """One step of time as a series is given it: its tick, its words, and where it leads."""

    tick: str
    title: str
    address: str
    first: str
    last: str


def time_series(
    steps: Sequence[Step],
    bands: Sequence[tuple[str, Sequence[int]]],
    *,
    width: float = 960,
    height: float = 220,
    fills: Sequence[str] = FILLS,
) -> Drawing:
    """`stacked_bars` whose every bar is a link to its step of time; a script makes it a brush."""
    ticks = [step.tick for step in steps]
    drawing = stacked_bars(ticks, bands, width=width, height=height, fills=fills)
    wide = (width - _LEFT) / max(1, len(steps))
    totals = [sum(counts[at] for _, counts in bands) for at in range(len(steps))]
    slots = [
        Slot(
            _LEFT + at * wide, _TOP, wide, height - _FOOT - _TOP,
            f"{step.title}: {totals[at]:,}", step.address, step.first, step.last, totals[at],
        )
        for at, step in enumerate(steps)
    ]  # fmt: skip
    return replace(drawing, slots=tuple(slots))


def _scale_labels(ceiling: float, left: float, top: float, foot: float) -> list[Label]:
    parts = (0, 1, 2) if ceiling <= 2 else (0, 1, 2, 3, 4)  # noqa: PLR2004 - no fractions of one event
    last = parts[-1]
    return [
        Label(left - 8, foot - (foot - top) * at / last + 4, short(ceiling * at / last), "end")
        for at in parts
    ]


def _scale_lines(left: float, width: float, top: float, foot: float) -> tuple[Line, ...]:
    grid = [foot - (foot - top) * at / 4 for at in range(1, 5)]
    return (*(Line(left, y, width, y) for y in grid), Line(left, foot, width, foot, "axis"))


def mirrored(drawing: Drawing) -> Drawing:
    """The same drawing for a right-to-left page. Streams must be mirrored by their maker."""
    swap = {"start": "end", "end": "start", "middle": "middle"}
    wide = drawing.width
    return replace(
        drawing,
        boxes=tuple(replace(box, x=wide - box.x - box.width) for box in drawing.boxes),
        labels=tuple(
            replace(
                label, x=wide - label.x, anchor=swap[label.anchor], text=f"{_RLI}{label.text}{_PDI}"
            )
            for label in drawing.labels
        ),
        lines=tuple(replace(line, x1=wide - line.x1, x2=wide - line.x2) for line in drawing.lines),
    )
