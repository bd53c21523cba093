"""Values that are data are told for reading, and never as markup."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from muhafiz.web.templatetags.data import data, details, span

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"en": "Power", "ur": "بجلی"}, ['<dt class="mono">en</dt>', ">بجلی</bdi>"]),
        (["a", "b"], [">a</bdi>", ", ", ">b</bdi>"]),
        (True, ["Yes"]),
        ([{"code": "PB"}], ["PB"]),
        (24, ["24"]),
    ],
)
def test_a_value_is_told_by_its_shape(value, words):
    shown = data(value)
    assert all(word in shown for word in words)
    assert "{&quot;en" not in shown


def test_details_count_what_is_long_and_leave_out_what_is_empty():
    shown = details('{"days": ["a", "b", "c"], "new": 0, "note": "", "way": "passkey"}')
    assert "3 values" in shown
    assert ">0</bdi>" in shown
    assert "passkey" in shown
    assert "note" not in shown


@given(VALUES)
def test_no_value_becomes_markup(value):
    import json

    for shown in (data(value), details(json.dumps(value)), details(json.dumps({"<b>": value}))):
        assert "<script" not in shown
        assert "<b>" not in shown


def test_what_is_no_json_stands_as_it_is():
    assert "&lt;b&gt;" in details("<b> not JSON")


def test_many_details_are_counted_and_hashes_cut():
    many = ", ".join(f'"name{at}": "{"ab" * 32}"' for at in range(9))
    shown = details("{" + many + "}")
    assert "name5" in shown
    assert "name6" not in shown
    assert "3 more" in shown
    assert "abababababab…" in shown
    assert "ab" * 10 not in shown


@pytest.mark.parametrize(
    ("seconds", "words", "urdu"),
    [
        (30, "30 seconds", "30 سیکنڈ"), (60, "1 minute", "1 منٹ"), (90, "90 seconds", "90 سیکنڈ"),
        (21_600, "6 hours", "6 گھنٹے"), (86_400, "1 day", "1 دن"), (2_419_200, "4 weeks", "4 ہفتے"),
        (0, "0 seconds", "0 سیکنڈ"),
    ],
)  # fmt: skip
def test_a_span_is_told_in_its_largest_whole_unit(seconds, words, urdu):
    assert span(timedelta(seconds=seconds)) == words
    with override("ur"):
        assert span(timedelta(seconds=seconds)) == urdu
    assert span(None) == "—"
