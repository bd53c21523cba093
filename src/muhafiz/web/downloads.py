"""Charts as files: the numbers as CSV, the drawing as SVG that stands on its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files

from django.http import HttpResponse
from django.template.loader import render_to_string

from muhafiz.formats.csv_cells import Cell, csv_text
from muhafiz.web.charts import Drawing

_TOKEN = re.compile(r"--([\w-]+):\s*(?:light-dark\((#\w{6}),\s*#\w{6}\)|(#\w{6}));")
_USED = re.compile(r"var\(--([\w-]+)\)")
_LOOK = (
    ("font-family", "'IBM Plex Sans', 'IBM Plex Sans Arabic', sans-serif"),
    ("font-size", "11"),
    ("xmlns", "http://www.w3.org/2000/svg"),
)


def csv_file(name: str, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> HttpResponse:
    """A table as a CSV download (UTF-8 with a byte order mark, as spreadsheets expect).

    Cells that a spreadsheet would run as a formula are defused.
    """
    return _file(name, "csv", "text/csv; charset=utf-8", "\ufeff" + csv_text(head, rows))


def svg_file(name: str, drawing: Drawing, title: str) -> HttpResponse:
    """A drawing as an SVG download, in the light theme's colors."""
    shown = render_to_string("web/chart/drawing.html", {"drawing": drawing, "title": title})
    alone = shown[: shown.index("</svg>") + len("</svg>")]
    attributes = " ".join(f'{name}="{value}"' for name, value in _LOOK)
    alone = _with_classes(alone).replace("<svg ", f"<svg {attributes} ", 1)
    colored = _USED.sub(lambda match: _light().get(match.group(1), "currentColor"), alone)
    return _file(name, "svg", "image/svg+xml; charset=utf-8", colored)


def _with_classes(svg: str) -> str:
    """What the page's style sheet says of the classes, as attributes: the file has none."""
    for look, attributes in (
        ("gridline", 'stroke="var(--line)"'),
        ("axis", 'stroke="var(--line-strong)"'),
        ("stream", 'fill-opacity=".5"'),
        ("start", 'text-anchor="start" fill="var(--quiet)"'),
        ("middle", 'text-anchor="middle" fill="var(--quiet)"'),
        ("end", 'text-anchor="end" fill="var(--quiet)"'),
    ):
        svg = re.sub(rf'class="({look}\b[^"]*)"', rf'class="\1" {attributes}', svg)
    return svg


@cache
def _light() -> dict[str, str]:
    """Token → color in the light theme, as tokens.css has it."""
    text = files("muhafiz.web").joinpath("static/web/tokens.css").read_text(encoding="utf-8")
    return {name: light or plain for name, light, plain in _TOKEN.findall(text)}


def _file(name: str, ending: str, kind: str, content: str) -> HttpResponse:
    answer = HttpResponse(content, content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="{name}.{ending}"'
    return answer
