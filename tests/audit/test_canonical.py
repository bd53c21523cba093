"""An entry has one spelling."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muhafiz.audit.canonical import Entry, details_text, head_text, storable, utc_text

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.text(), st.text(), st.text(), st.dictionaries(st.text(), JSON_VALUES, max_size=4))
def test_the_line_is_sorted_ascii_json_of_one_line(name, action, subject, details):
    at = datetime(2026, 11, 23, 9, 0, 0, 7, tzinfo=UTC)
    line = Entry(3, at, "person:1", name, action, subject, details_text(details)).line()
    read = json.loads(line)
    assert line == json.dumps(read, sort_keys=True, separators=(",", ":")).encode("ascii")
    assert b"\n" not in line
    assert (read["name"], read["action"], read["subject"]) == (name, action, subject)
    assert (read["index"], read["at"]) == (3, "2026-11-23T09:00:00.000007Z")


def test_time_is_utc_with_six_decimals():
    karachi = timezone(timedelta(hours=5))
    assert utc_text(datetime(2026, 1, 1, 5, tzinfo=karachi)) == "2026-01-01T00:00:00.000000Z"
    with pytest.raises(ValueError, match="time zone"):
        utc_text(datetime(2026, 1, 1))  # noqa: DTZ001 - that is the fault


@pytest.mark.parametrize("details", [{"a": float("nan")}, {"a": float("inf")}])
def test_what_json_cannot_say_is_refused(details):
    with pytest.raises(ValueError, match="JSON"):
        details_text(details)


def test_dates_and_bytes_are_refused():
    for strange in (datetime(2026, 1, 1, tzinfo=UTC), b"x", {1, 2}):
        with pytest.raises(TypeError):
            details_text({"a": strange})


@given(st.text(st.characters()))
def test_what_is_stored_is_storable_everywhere(text):
    kept = storable(text)
    kept.encode("utf-8")
    assert "\0" not in kept
    assert len(kept) == len(text)


def test_storable_replaces_nul_and_lone_surrogates():
    assert storable("a\0b\ud800c") == "a\ufffdb\ufffdc"
    assert storable("پاکستان") == "پاکستان"


def test_the_head_that_is_signed_names_log_size_root_and_time():
    text = head_text("log-1", 7, b"\0" * 32, datetime(2026, 1, 1, tzinfo=UTC))
    assert text.decode().split("\n") == [
        "muhafiz-audit-1/log-1",
        "7",
        "A" * 43 + "=",
        "2026-01-01T00:00:00.000000Z",
        "",
    ]
