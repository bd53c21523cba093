"""Regions as a schematic grid of equal tiles, which draws no borders; or as an official map.

Borders are political: none are shipped. An installation that has its official file names it in
MUHAFIZ_REGION_MAP: GeoJSON (RFC 7946), a FeatureCollection whose features carry the region's code
as property `code` (or as `id`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import cos, radians
from pathlib import Path
from typing import Any

import orjson

from muhafiz.common.refusal import Refusal
from muhafiz.web.charts import Box, Drawing, Label, Stream, short
from muhafiz.web.heat_map import HEATS, heat

_TILE, _GAP = 132.0, 8.0
_TALL = 84.0
_LINE = 18  # letters that fit a tile's line
_LARGEST = 30_000_000  # bytes of a map
_WIDE = 640.0


class BadRegionMap(Refusal):
    """The installation's map cannot be drawn."""

    text = "The map of regions cannot be used: {reason}."


@dataclass(frozen=True, slots=True)
class Region:
    """A region with its place in the grid (from 1) and what happened there."""

    code: str
    name: str
    column: int
    row: int
    events: int


def tile_grid(regions: Sequence[Region]) -> Drawing:
    """Every region as one tile, the fuller the darker. Places are geography: never mirrored."""
    most = max((region.events for region in regions), default=0)
    boxes, labels = [], []
    for region in regions:
        x, y = (region.column - 1) * (_TILE + _GAP), (region.row - 1) * (_TALL + _GAP)
        shade = heat(region.events, most)
        dark = "on-heat" if shade in HEATS[3:] else "strong"
        boxes.append(Box(x, y, _TILE, _TALL, shade, f"{region.name}: {region.events:,}"))
        for at, words in enumerate(_wrapped(region.name)):
            labels.append(Label(x + _TILE / 2, y + 22 + 15 * at, words, "middle", dark))
        labels.append(
            Label(x + _TILE / 2, y + _TALL - 14, short(region.events), "middle", f"figure {dark}")
        )
    wide = max((region.column for region in regions), default=1)
    tall = max((region.row for region in regions), default=1)
    return Drawing(
        wide * (_TILE + _GAP) - _GAP,
        tall * (_TALL + _GAP) - _GAP,
        boxes=tuple(boxes),
        labels=tuple(labels),
    )


def _wrapped(name: str) -> list[str]:
    """At most two lines; what is longer ends in an ellipsis (the tile's title has it all)."""
    lines = [""]
    for word in name.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > _LINE:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return lines if len(lines) <= 2 else [lines[0], f"{lines[1]} …"]  # noqa: PLR2004 - as said


def drawn_map(path: Path, regions: Sequence[Region]) -> Drawing:
    """The installation's own map with each region shaded by its events.

    Raises:
        BadRegionMap: the file cannot be read, is no GeoJSON, or lacks one of the regions.
    """
    shapes = region_shapes(path, path.stat().st_mtime_ns if path.is_file() else 0)
    missing = [region.code for region in regions if region.code not in shapes.middles]
    if missing:
        raise BadRegionMap(reason=f"it has no shape of {', '.join(missing)}")
    most = max((region.events for region in regions), default=0)
    streams = tuple(
        Stream(shapes.paths[region.code], heat(region.events, most), "region") for region in regions
    )
    labels = tuple(
        Label(*shapes.middles[region.code], f"{region.name} {short(region.events)}", "middle")
        for region in regions
    )
    return Drawing(_WIDE, shapes.height, streams=streams, labels=labels)


@dataclass(frozen=True, slots=True)
class Shapes:
    """SVG paths by region code, the middle of each, and the drawing's height at its width."""

    height: float
    paths: Mapping[str, str]
    middles: Mapping[str, tuple[float, float]]


@lru_cache(maxsize=2)
def region_shapes(path: Path, changed: int) -> Shapes:  # noqa: ARG001 - `changed` renews the cache
    """The file's shapes in the drawing's units, equirectangular about the middle latitude.

    Raises:
        BadRegionMap: the file cannot be read or is no GeoJSON.
    """
    rings = {code: list(_rings(shape)) for code, shape in _features(path)}
    points = [point for found in rings.values() for ring in found for point in ring]
    if not points:
        raise BadRegionMap(reason="it holds no shapes")
    west, east = min(x for x, _ in points), max(x for x, _ in points)
    south, north = min(y for _, y in points), max(y for _, y in points)
    narrow = cos(radians((south + north) / 2))
    scale = _WIDE / max((east - west) * narrow, 1e-9)

    def place(point: tuple[float, float]) -> tuple[float, float]:
        return (point[0] - west) * narrow * scale, (north - point[1]) * scale

    placed = {code: [[place(p) for p in ring] for ring in found] for code, found in rings.items()}
    return Shapes(
        height=(north - south) * scale,
        paths={code: "".join(map(_path, found)) for code, found in placed.items()},
        middles={code: _middle(max(found, key=len)) for code, found in placed.items() if found},
    )


def _features(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        if path.stat().st_size > _LARGEST:
            raise BadRegionMap(reason="it is larger than 30 MB")
        read = orjson.loads(path.read_bytes())
        found = list(read["features"])
        told = [(each.get("properties") or {}).get("code", each.get("id")) for each in found]
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as wrong:
        raise BadRegionMap(reason=f"{path.name} is no GeoJSON FeatureCollection") from wrong
    for code, each in zip(told, found, strict=True):
        if code is not None and isinstance(each.get("geometry"), dict):
            yield str(code), each["geometry"]


def _rings(geometry: Mapping[str, Any]) -> Iterator[list[tuple[float, float]]]:
    kind, places = geometry.get("type"), geometry.get("coordinates")
    parts: list[Any] = list(places or ()) if kind == "MultiPolygon" else []
    if kind == "Polygon" and places:
        parts = [places]
    try:
        for part in parts:
            for ring in filter(None, part):
                yield [(float(point[0]), float(point[1])) for point in ring]
    except (TypeError, ValueError, IndexError) as wrong:
        raise BadRegionMap(reason="a shape has places that are no numbers") from wrong


def _path(ring: Sequence[tuple[float, float]]) -> str:
    """A closed SVG path; points nearer than half a unit to the last one are left out."""
    kept = list(ring[:1])
    for x, y in ring[1:]:
        if abs(x - kept[-1][0]) + abs(y - kept[-1][1]) >= 0.5:  # noqa: PLR2004 - half a unit
            kept.append((x, y))
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in kept) + "Z" if kept else ""


def _middle(ring: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return sum(x for x, _ in ring) / len(ring), sum(y for _, y in ring) / len(ring)
