"""The drawings say the numbers they are given."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muhafiz.web.charts import nice_top, short, stacked_bars
from muhafiz.web.river import Flow, Spring, draw_river


@given(st.integers(0, 10**12))
def test_the_top_of_a_scale_is_round_and_not_too_high(value):
    top = nice_top(value)
    assert top >= value
    assert top <= max(4, 2.5 * value)
    assert top <= 2 or top % 4 == 0 or (top % 2 == 0 and top >= 20)


@pytest.mark.parametrize(
    ("value", "shown"), [(0, "0"), (950, "950"), (1500, "1.5k"), (3e6, "3M"), (2e9, "2G")]
)
def test_short_numbers(value, shown):
    assert short(value) == shown


def test_bars_are_as_tall_as_their_counts():
    drawing = stacked_bars(["a", "b"], [("x", [10, 20]), ("y", [0, 20])])
    tall = {box.title: box.height for box in drawing.boxes}
    assert tall["b · x: 20"] / tall["a · x: 10"] == pytest.approx(2, rel=0.02)
    assert len(drawing.boxes) == 3, "a count of nothing is not drawn"
    assert [name for name, _ in drawing.legend] == ["x", "y"]


FLOW = Flow(
    springs=[Spring("alpha", 2, 900, 0), Spring("beta", 1, 100, 50)],
    accepted=950, set_aside=50, owned=700, nobody=250, letters=12, sent=6,
)  # fmt: skip


def words(drawing):
    return {re.sub("[\u2067\u2069]", "", label.text) for label in drawing.labels}


@pytest.mark.parametrize("rtl", [False, True])
def test_the_river_says_every_count(rtl):
    found = words(draw_river(FLOW, rtl=rtl))
    assert {"alpha", "beta", "1,000", "950", "50", "700", "250", "12", "6"} <= found
    assert {"2 reports", "1 report"} <= found


def test_set_aside_rows_leave_the_source_that_brought_them():
    drawing = draw_river(FLOW, rtl=False)
    bad = [stream for stream in drawing.streams if stream.look == "stream-bad"]
    beta = drawing.boxes[1]
    assert len(bad) == 1
    start = float(re.match(r"M[\d.]+ ([\d.]+)", bad[0].path)[1])
    assert beta.y <= start <= beta.y + beta.height


def test_the_mirrored_river_runs_from_the_right():
    left, right = draw_river(FLOW, rtl=False), draw_river(FLOW, rtl=True)
    for here, there in zip(left.boxes, right.boxes, strict=True):
        assert there.x == pytest.approx(left.width - here.x - here.width)


def test_a_dry_river_draws_nothing_and_does_not_fail():
    dry = Flow(springs=[], accepted=0, set_aside=0, owned=0, nobody=0, letters=0, sent=0)
    drawing = draw_river(dry, rtl=False)
    assert drawing.boxes == ()
    assert drawing.streams == ()


def test_many_sources_are_drawn_as_some_and_the_others():
    springs = [Spring(f"s{at}", 1, 100 - at, 0) for at in range(10)]
    flow = Flow(springs=springs, accepted=955, set_aside=0, owned=1, nobody=954, letters=0, sent=0)
    found = words(draw_river(flow, rtl=False))
    assert "others" in found
    assert "s9" not in found


@given(
    st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**6)), max_size=9),
    st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 9999),
)  # fmt: skip
def test_no_numbers_break_the_river(counts, owned, nobody, letters):
    springs = [Spring(str(at), 1, rows, aside) for at, (rows, aside) in enumerate(counts)]
    flow = Flow(
        springs=springs, accepted=owned + nobody, set_aside=sum(a for _, a in counts),
        owned=owned, nobody=nobody, letters=letters, sent=letters // 2,
    )  # fmt: skip
    drawing = draw_river(flow, rtl=True)
    assert all(box.height > 0 and box.y + box.height <= drawing.height for box in drawing.boxes)
    assert "nan" not in "".join(stream.path for stream in drawing.streams)
