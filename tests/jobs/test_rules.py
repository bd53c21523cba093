"""Pauses, slots and what of an error is kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muhafiz.jobs.rules import (
    clock_went_back,
    pause_after,
    slot_of,
    slot_start,
    timed_step,
    without_secrets,
)


def test_pauses_double_up_to_an_hour():
    assert [pause_after(n).total_seconds() for n in (1, 2, 3, 7, 8, 99, 10**9)] == [
        30,
        60,
        120,
        1920,
        3600,
        3600,
        3600,
    ]


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)),  # noqa: DTZ001 - given UTC below
    st.integers(1, 100_000),
    st.integers(0, 50_000),
)
def test_every_moment_lies_in_its_slot(naive, seconds, shift):
    now = naive.replace(tzinfo=UTC)
    every, offset = timedelta(seconds=seconds), timedelta(seconds=shift)
    slot = slot_of(now, every, offset)
    assert slot_start(slot, every, offset) <= now < slot_start(slot + 1, every, offset)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=60))
def test_a_slot_is_never_run_twice_in_a_row_and_never_stalls(readings):
    """Whatever the clock shows: no run in the slot just worked, none at a step back."""
    last = highest = readings[0]
    for slot in readings[1:]:
        step = timed_step(last, highest, slot)
        if slot == last:
            assert step == "wait"
        elif slot < last:
            assert step == "anchor"
        else:
            assert (step == "run") == (slot != highest)
        last, highest = slot, max(highest, slot)
    assert timed_step(last, highest, highest + 1) == "run"


def test_two_machines_may_differ_by_a_minute(now):
    assert not clock_went_back(now - timedelta(seconds=59), now)
    assert clock_went_back(now - timedelta(seconds=61), now)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("imaps://feeds:hunter2@mail.example/INBOX refused", "hunter2"),
        ("password=hunter2", "hunter2"),
        ("{'api_key': 'hunter2', 'x': 1}", "hunter2"),
        ('{"apikey": "hunter2"}', "hunter2"),
        ("Authorization: Bearer hunter2", "hunter2"),
        ("HMAC2: hunter2", "hunter2"),
        ("smtp_password: hunter2", "hunter2"),
        ("-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----", "hunter2"),
        ("-----BEGIN PGP PRIVATE KEY BLOCK-----\nhunter2", "hunter2"),
    ],
)
def test_secrets_are_blanked(text, secret):
    assert secret not in without_secrets(text)


def test_the_rest_of_an_error_stays():
    text = "ValueError: row 7 of https://feeds.example/a?b=1 has no address"
    assert without_secrets(text) == text
    assert "mail.example" in without_secrets("imaps://a:b@mail.example/")


def test_a_very_long_error_loses_its_middle():
    kept = without_secrets("a" * 500_000 + "the end")
    assert len(kept) < 21_000
    assert kept.endswith("the end")
