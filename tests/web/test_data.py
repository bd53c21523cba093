"""Values that are data are told for reading, and never as markup."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muhafiz.web.templatetags.data import data, details

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
