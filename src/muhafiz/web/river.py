"""The river: from reports by source, through rows, to their owners and the letters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from muhafiz.web.charts import FILLS, Box, Drawing, Label, Stream, curve, mirrored

_WIDTH, _HEIGHT, _TALL = 960.0, 330.0, 210.0
_TOP, _GAP, _THICK = 64.0, 26.0, 10.0
_SHOWN = 6  # sources drawn apart; the rest are drawn as one
_COLUMNS = (170.0, 420.0, 640.0, 800.0, 920.0)  # sources, rows, owners, letters, sent


@dataclass(frozen=True, slots=True)
class Spring:
    """One source: how many reports it brought and what became of their rows."""

    name: str
    reports: int
    rows_read: int
    set_aside: int


@dataclass(frozen=True, slots=True)
class Flow:
    """All counts of the river, of one span of time."""

    springs: Sequence[Spring]
    accepted: int
    set_aside: int
    owned: int
    nobody: int
    letters: int
    sent: int


@dataclass(frozen=True, slots=True)
class _Reach:
    """A stretch of one column: where it stands and how thick it runs."""

    x: float
    y: float
    height: float


def draw_river(flow: Flow, *, rtl: bool) -> Drawing:
    """The river as a drawing that reads from the left, or from the right when `rtl`."""
    springs = _springs(flow.springs)
    total = max(1, flow.accepted + flow.set_aside, sum(s.rows_read for s in springs))
    sources = _column(_COLUMNS[0], [s.rows_read for s in springs], total, gap=22)
    rows = _column(_COLUMNS[1], [flow.accepted, flow.set_aside], total, gap=_GAP)
    owners = _column(_COLUMNS[2], [flow.owned, flow.nobody], total, gap=_GAP)
    post = _column(_COLUMNS[3], [1 if flow.letters else 0], 3, gap=0)
    share = flow.sent / flow.letters if flow.letters else 0
    sent = _Reach(_COLUMNS[4], _TOP, post[0].height * share)
    streams = [
        *_into_rows(sources, rows),
        *_set_aside(springs, sources, rows[1]),
        _stream(rows[0], owners[0], 0, "var(--c1)"),
        _stream(rows[0], owners[1], owners[0].height, "var(--c6)"),
        _taper(owners[0], post[0]),
        _taper(post[0], sent),
    ]
    boxes = [_box(reach, FILLS[at % 5]) for at, reach in enumerate(sources)]
    boxes += [_box(rows[0], "var(--c1)"), _box(rows[1], "var(--fill-high)")]
    boxes += [_box(owners[0], "var(--c1)"), _box(owners[1], "var(--c6)")]
    boxes += [_box(post[0], "var(--c1)"), _box(sent, "var(--fill-ok)")]
    labels = [*_source_labels(springs, sources), *_stage_labels(flow, rows, owners)]
    height = max(_HEIGHT, *(reach.y + reach.height + 30 for reach in (*sources, *rows, *owners)))
    drawing = Drawing(
        _WIDTH,
        height,
        boxes=tuple(box for box in boxes if box.height),
        labels=tuple(labels),
        streams=tuple(_turned(s, rtl=rtl) for s in streams if s is not None),
    )
    return mirrored(drawing) if rtl else drawing


def _springs(springs: Sequence[Spring]) -> list[Spring]:
    ordered = sorted(springs, key=lambda spring: -spring.rows_read)
    shown, rest = ordered[:_SHOWN], ordered[_SHOWN:]
    if rest:
        others = Spring(
            _("others"),
            sum(s.reports for s in rest),
            sum(s.rows_read for s in rest),
            sum(s.set_aside for s in rest),
        )
        shown.append(others)
    return shown


def _column(x: float, amounts: Sequence[int], total: int, *, gap: float) -> list[_Reach]:
    """Reaches one below the other; what is not nothing is at least 3 thick, so that it is seen."""
    made, y = [], _TOP
    for amount in amounts:
        height = max(3.0, _TALL * amount / total) if amount else 0.0
        made.append(_Reach(x, y, height))
        y += max(height, 14.0) + gap
    return made


def _into_rows(sources: Sequence[_Reach], rows: Sequence[_Reach]) -> list[Stream | None]:
    """Each source flows into the rows that were accepted."""
    full = sum(reach.height for reach in sources) or 1.0
    into, streams, at = rows[0], [], 0.0
    for number, source in enumerate(sources):
        thick = into.height * source.height / full
        streams.append(
            _band(source, (into.x, into.y + at, thick), FILLS[number % 5]) if thick else None
        )
        at += thick
    return streams


def _set_aside(
    springs: Sequence[Spring], sources: Sequence[_Reach], aside: _Reach
) -> list[Stream | None]:
    """What could not be read leaves each source at its foot, for the reach below."""
    full = sum(spring.set_aside for spring in springs) or 1
    streams: list[Stream | None] = []
    at = 0.0
    for spring, source in zip(springs, sources, strict=True):
        thick = aside.height * spring.set_aside / full
        if thick:
            leaves = min(thick, source.height)
            start = (source.x + _THICK, source.y + source.height - leaves, leaves)
            end = (aside.x, aside.y + at, thick)
            streams.append(Stream(curve(start, end), "var(--fill-high)", "stream-bad"))
        at += thick
    return streams


def _band(source: _Reach, end: tuple[float, float, float], fill: str) -> Stream:
    return Stream(curve((source.x + _THICK, source.y, source.height), end), fill)


def _stream(source: _Reach, target: _Reach, offset: float, fill: str) -> Stream | None:
    if not source.height or not target.height:
        return None
    thick = min(target.height, source.height)
    offset = min(offset, source.height - thick)
    start = (source.x + _THICK, source.y + offset, thick)
    return Stream(curve(start, (target.x, target.y, target.height)), fill)


def _taper(source: _Reach, target: _Reach) -> Stream | None:
    if not source.height or not target.height:
        return None
    return _band(source, (target.x, target.y, target.height), "var(--c1)")


def _turned(stream: Stream, *, rtl: bool) -> Stream:
    """Mirrored by the template through a transform: its look says so."""
    return Stream(stream.path, stream.fill, f"{stream.look} turned".strip()) if rtl else stream


def _box(reach: _Reach, fill: str) -> Box:
    return Box(reach.x, reach.y, _THICK, reach.height, fill)


def _source_labels(springs: Sequence[Spring], reaches: Sequence[_Reach]) -> list[Label]:
    labels = []
    for spring, reach in zip(springs, reaches, strict=True):
        y = reach.y + max(reach.height, 14) / 2
        told = ngettext("{count} report", "{count} reports", spring.reports)
        labels.append(Label(reach.x - 10, y, spring.name, "end", "strong"))
        labels.append(Label(reach.x - 10, y + 14, told.format(count=f"{spring.reports:,}"), "end"))
    return labels


def _stage_labels(flow: Flow, rows: Sequence[_Reach], owners: Sequence[_Reach]) -> list[Label]:
    heads = (
        (_COLUMNS[0], _("Rows read"), flow.accepted + flow.set_aside),
        (_COLUMNS[1], _("Rows accepted"), flow.accepted),
        (_COLUMNS[2], _("Owner found"), flow.owned),
        (_COLUMNS[3], _("Letters"), flow.letters),
        (_COLUMNS[4], _("Sent"), flow.sent),
    )
    labels = []
    for x, word, count in heads:
        anchor, at = ("end", x + _THICK) if x == _COLUMNS[4] else ("start", x)
        labels.append(Label(at, 18, word, anchor))
        labels.append(Label(at, 42, f"{count:,}", anchor, "figure"))
    for reach, word, count in (
        (rows[1], _("Set aside"), flow.set_aside),
        (owners[1], _("Owned by nobody"), flow.nobody),
    ):
        if count:
            y = reach.y + reach.height / 2
            labels.append(Label(reach.x + 18, y + 1, word, "start"))
            labels.append(Label(reach.x + 18, y + 16, f"{count:,}", "start", "strong"))
    return labels
