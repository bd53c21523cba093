"""Tiles and maps say what they are given, and never draw what nobody gave them."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muhafiz.web.downloads import csv_file, svg_file
from muhafiz.web.heat_map import HEATS, calendar, heat
from muhafiz.web.multiples import multiples
from muhafiz.web.regions import BadRegionMap, Region, drawn_map, tile_grid

NORTH = Region("XX-N", "The very long name of the northern province", 2, 1, 40)
SOUTH = Region("XX-S", "South", 1, 3, 0)
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def feature(code, ring, kind="Polygon"):
    places = [ring] if kind == "Polygon" else [[ring], [ring]]
    return {
        "type": "Feature",
        "properties": {"code": code},
        "geometry": {"type": kind, "coordinates": places},
    }


SQUARE = [[70.0, 30.0], [71.0, 30.0], [71.0, 31.0], [70.0, 31.0], [70.0, 30.0]]
LOWER = [[70.0, 28.0], [71.0, 28.0], [71.0, 29.0], [70.0, 29.0], [70.0, 28.0]]


@pytest.fixture
def official(tmp_path):
    path = tmp_path / "regions.geojson"
    path.write_text(
        json.dumps(
            {
                "type": "FeatureCollection",
                "features": [feature("XX-N", SQUARE), feature("XX-S", LOWER, "MultiPolygon")],
            }
        )
    )
    return path


def test_tiles_stand_where_the_rulebook_puts_them():
    drawing = tile_grid([NORTH, SOUTH])
    north, south = drawing.boxes
    assert north.x > south.x
    assert north.y < south.y
    assert (north.fill, south.fill) == (HEATS[4], HEATS[0])
    assert "40" in north.title
    assert max(len(label.text) for label in drawing.labels) <= 22


def test_an_official_map_is_drawn_north_up(official):
    drawing = drawn_map(official, [NORTH, SOUTH])
    north, south = (label for label in drawing.labels)
    assert north.y < south.y
    assert [stream.fill for stream in drawing.streams] == [HEATS[4], HEATS[0]]
    assert drawing.streams[1].path.count("Z") == 2


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"features": [1]}',
        b'{"features": []}',
        b'{"features": null}',
        b"\xff\xfe",
        json.dumps({"features": [feature("XX-N", [["a", "b"]])]}).encode(),
        json.dumps({"features": [feature("XX-N", [1, 2])]}).encode(),
        json.dumps({"features": [feature("XX-N", SQUARE)]}).encode(),
        json.dumps({"features": [feature("XX-N", SQUARE), feature("XX-S", [])]}).encode(),
    ],
)
def test_a_bad_map_is_refused_with_a_reason(tmp_path, content):
    path = tmp_path / "bad.geojson"
    path.write_bytes(content)
    with pytest.raises(BadRegionMap):
        drawn_map(path, [NORTH, SOUTH])


def test_a_missing_map_is_refused(tmp_path):
    with pytest.raises(BadRegionMap):
        drawn_map(tmp_path / "none.geojson", [NORTH])


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_more_is_never_paler(one, other):
    low, high = sorted((one, other))
    assert HEATS.index(heat(low, high)) <= HEATS.index(heat(high, high))
    assert (heat(low, high) == HEATS[0]) == (low == 0)


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)), st.integers(1, 60))
def test_a_calendar_has_every_day_once(last, weeks):
    counts = {last - timedelta(days=at): at for at in range(9)}
    drawing = calendar(counts, last=last, weeks=weeks, weekdays=WEEKDAYS)
    assert len(drawing.boxes) == (weeks - 1) * 7 + last.weekday() + 1
    assert drawing.boxes[-1].title == f"{last.isoformat()}: 0"
    assert len({(box.x, box.y) for box in drawing.boxes}) == len(drawing.boxes)
    assert all(box.x >= 0 and box.x + box.width <= drawing.width for box in drawing.boxes)


def test_multiples_share_one_scale():
    found = multiples(["1", "2"], {"a": [10, 20], "b": [100, 200], "none": [0, 0]})
    assert [each.name for each in found] == ["b", "a", "none"]
    b, a, none = found
    assert b.drawing.boxes[1].height == pytest.approx(10 * a.drawing.boxes[1].height)
    assert (a.last, a.change) == (20, 10)
    assert none.drawing.boxes == ()


def test_a_drawing_as_a_file_stands_alone():
    answer = svg_file("regions", tile_grid([NORTH, SOUTH]), 'Regions <&" of today')
    text = answer.content.decode()
    assert text.startswith("<svg ")
    assert 'xmlns="http://www.w3.org/2000/svg"' in text
    assert "var(" not in text
    assert "&lt;&amp;" in text
    assert answer["Content-Disposition"] == 'attachment; filename="regions.svg"'


def test_a_table_as_a_file_runs_no_formula():
    answer = csv_file("numbers", ["day", "events"], [["=1+1", 3], [None, -2]])
    assert answer.content.decode() == "\ufeffday,events\r\n'=1+1,3\r\n,-2\r\n"
