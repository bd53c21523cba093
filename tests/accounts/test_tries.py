"""How often one may try: pure rules, as properties."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muhafiz.accounts.actions.tries import begin_try, clear_tries, unlock_account, use_code
from muhafiz.accounts.tries import (
    ACCOUNT,
    ADDRESS,
    LETTERS,
    CodeUsed,
    TooManyTries,
    check_tries,
    counted,
    tries_key,
    wait_after,
)
from muhafiz.common.actor import Actor

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ALLOWANCES = st.sampled_from([ACCOUNT, ADDRESS, LETTERS])
MOMENTS = st.datetimes(
    min_value=datetime(2020, 1, 1),  # noqa: DTZ001 - Hypothesis adds the zone
    max_value=datetime(2040, 1, 1),  # noqa: DTZ001 - as above
    timezones=st.just(UTC),
)


@given(ALLOWANCES, st.integers(0, 10_000))
def test_a_wait_never_shrinks_with_further_tries_and_is_bounded(allowance, count):
    wait = wait_after(count, allowance)
    assert timedelta(0) <= wait <= wait_after(count + 1, allowance) <= allowance.longest
    assert (wait > timedelta(0)) == (count >= allowance.free)


@given(ALLOWANCES, st.integers(0, 100), MOMENTS, MOMENTS, MOMENTS)
def test_an_earlier_clock_never_lets_in_what_a_later_one_refused(allowance, count, latest, a, b):
    early, late = sorted((a, b))

    def refused(now: datetime) -> bool:
        try:
            check_tries(counted(count, latest, allowance, now), latest, allowance, now)
        except TooManyTries:
            return True
        return False

    assert refused(early) or not refused(late)


@given(st.text(max_size=50), st.text(max_size=50))
def test_keys_tell_kinds_apart_and_no_case(kind, value):
    assert tries_key("account", value) == tries_key("account", f" {value.lower()} ") or value != (
        value.strip()
    )
    assert tries_key("account", value) != tries_key("address", value)
    assert len(tries_key(kind, value)) == 64


@pytest.mark.django_db
def test_tries_in_parallel_are_each_counted_before_the_hash():
    for _ in range(5):
        begin_try(account="a@b.example", address="192.0.2.1", now=NOW)
    with pytest.raises(TooManyTries):
        begin_try(account="A@B.example", address="192.0.2.2", now=NOW)
    with pytest.raises(TooManyTries):
        begin_try(account="a@b.example", address="192.0.2.1", now=NOW - timedelta(days=400))
    begin_try(account="a@b.example", address="192.0.2.1", now=NOW + timedelta(minutes=1))
    with pytest.raises(TooManyTries):
        begin_try(account="a@b.example", address="192.0.2.1", now=NOW + timedelta(minutes=2))
    clear_tries(account="a@b.example", address="192.0.2.1")
    begin_try(account="a@b.example", address="192.0.2.1", now=NOW + timedelta(minutes=2))


@pytest.mark.django_db
def test_an_operator_unlocks():
    for _ in range(5):
        begin_try(account="a@b.example", address="192.0.2.1", now=NOW)
    unlock_account(email="a@b.example", actor=Actor.command("root"), now=NOW)
    begin_try(account="a@b.example", address="192.0.2.1", now=NOW)


@pytest.mark.django_db
@pytest.mark.parametrize("later", [timedelta(0), timedelta(minutes=9), -timedelta(minutes=9)])
def test_a_code_is_used_once(later):
    use_code(person_id=1, code="123456", now=NOW)
    use_code(person_id=2, code="123456", now=NOW)
    with pytest.raises(CodeUsed):
        use_code(person_id=1, code="123456", now=NOW + later)
