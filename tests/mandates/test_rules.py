"""Every step between every two states, and what each must rest on."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from muhafiz.mandates.rules import (
    CABINET,
    NOMINATED,
    NOTIFIED,
    OPERATIONAL,
    RECOMMENDED,
    REVOKED,
    STEPS,
    SUSPENDED,
    BadCert,
    CannotMove,
    Gazette,
    Readiness,
    Step,
    check_cert,
    check_step,
    may_act_as_sectoral,
)

AT = datetime(2024, 3, 1, tzinfo=UTC)
GAZETTE = Gazette("S.R.O. 1(I)/2024", date(2024, 3, 1))
READY = Readiness("https://cert.example/rfc2350", "AB" * 20, "+92-00", AT)
LEGAL = {
    (NOMINATED, RECOMMENDED),
    (RECOMMENDED, CABINET),
    (CABINET, NOTIFIED),
    (NOTIFIED, OPERATIONAL),
    (OPERATIONAL, SUSPENDED),
    (SUSPENDED, OPERATIONAL),
} | {(state, REVOKED) for state in STEPS if state != REVOKED}


def step(state, **parts):
    full = Step(state, AT, gazette=GAZETTE, readiness=READY, reason="because")
    return replace(full, **parts)


def check(current, taken):
    check_step(name="CERT", current=current, since=AT, step=taken)


@pytest.mark.parametrize(("current", "state"), list(itertools.product(STEPS, STEPS)))
def test_only_legal_steps_are_taken(current, state):
    if (current, state) in LEGAL:
        check(current, step(state))
    else:
        with pytest.raises(CannotMove):
            check(current, step(state))


@pytest.mark.parametrize(
    ("current", "taken", "told"),
    [
        (CABINET, step(NOTIFIED, gazette=None), "gazette"),
        (CABINET, step(NOTIFIED, gazette=Gazette(" ", date(2024, 3, 1))), "gazette"),
        (CABINET, step(NOTIFIED, gazette=Gazette("1", date(2024, 3, 3))), "later day"),
        (NOTIFIED, step(OPERATIONAL, readiness=None), "missing"),
        (NOTIFIED, step(OPERATIONAL, readiness=replace(READY, key_fingerprint="")), "no key"),
        (NOTIFIED, step(OPERATIONAL, readiness=replace(READY, contact="")), "no 24/7 contact"),
        (
            NOTIFIED,
            step(OPERATIONAL, readiness=replace(READY, ping_answered_at=AT + timedelta(days=1))),
            "ping",
        ),
        (OPERATIONAL, step(SUSPENDED, reason=" "), "reason"),
        (OPERATIONAL, step(REVOKED, reason=""), "reason"),
        (NOMINATED, step(RECOMMENDED, effective_at=AT - timedelta(days=1)), "only since"),
        (NOMINATED, step("blessed"), "no such state"),
    ],
)
def test_what_a_step_must_rest_on(current, taken, told):
    with pytest.raises(CannotMove, match=told):
        check(current, taken)


def test_a_gazette_of_the_day_counts_where_that_day_begins_before_utc():
    karachi_midnight = datetime(2024, 2, 29, 19, tzinfo=UTC)
    taken = step(NOTIFIED, effective_at=karachi_midnight)
    check_step(name="CERT", current=CABINET, since=karachi_midnight, step=taken)


def test_a_work_resumed_needs_no_new_ping():
    check(SUSPENDED, step(OPERATIONAL, readiness=None))


@pytest.mark.parametrize("state", STEPS)
def test_sectoral_powers_are_off_until_notified(state):
    assert may_act_as_sectoral(kind="sectoral", state=state) == (state in {NOTIFIED, OPERATIONAL})
    assert not may_act_as_sectoral(kind="organizational", state=state)


@pytest.mark.parametrize(
    ("kind", "sector", "name"),
    [
        ("regional", "", "X"),
        ("sectoral", "", "X"),
        ("national", "power", "X"),
        ("national", "", " "),
    ],
)
def test_what_is_no_cert_is_refused(kind, sector, name):
    with pytest.raises(BadCert):
        check_cert(kind=kind, sector=sector, names={"en": name})
