"""The life of a finding, whatever is answered, seen and waited for in whatever order."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from muhafiz.detection.actions.finding_rows import written_number
from muhafiz.detection.finding_rules import (
    ANSWERS,
    LONGEST_EXCEPTION_DAYS,
    STATES,
    AssetAnswer,
    BadResponse,
    CannotJudge,
    CannotRespond,
    Moved,
    Standing,
    after_judging,
    after_sighting,
    after_time,
    answer_named,
    asset_state,
    check_response,
    checked_reason,
    settled,
)

START = datetime(2026, 11, 23, 9, tzinfo=UTC)
QUIET = timedelta(days=14)


class Life(RuleBasedStateMachine):
    """One finding as its owner, its sightings and the clock move it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.standing = Standing("open", START, START)
        self.review = ""

    def _move(self, moved: Moved | None) -> None:
        if moved is not None:
            assert moved.state in STATES
            self.standing = Standing(moved.state, self.now, self.standing.last_seen)
            self.review = ""

    @rule(days=st.integers(0, 30), hours=st.integers(1, 23))
    def wait(self, days: int, hours: int) -> None:
        self.now += timedelta(days=days, hours=hours)
        told = {"today": self.now.date(), "now": self.now, "quiet_after": QUIET}
        self._move(after_time(self.standing, **told))
        assert after_time(self.standing, **told) is None, "once settled, settled"

    @rule(ago=st.integers(0, 40))
    def see(self, ago: int) -> None:
        seen = max(self.standing.last_seen, self.now - timedelta(days=ago))
        self.standing = Standing(
            self.standing.state, self.standing.since, seen, self.standing.until
        )
        before = self.standing.state
        self._move(after_sighting(self.standing, now=self.now, quiet_after=QUIET))
        if self.standing.state != before:
            assert before in {"fixed", "quiet"}
            assert self.standing.state == "open"

    @rule(name=st.sampled_from(sorted(ANSWERS)), days=st.integers(-3, 400))
    def answer(self, name: str, days: int) -> None:
        until = self.now.date() + timedelta(days=days) if name == "except" else None
        before = self.standing
        try:
            check_response(
                answer_named(name), number="F-1", state=before.state, review=self.review,
                until=until, today=self.now.date(),
            )  # fmt: skip
        except CannotRespond:
            assert before.state == "quiet" or self.review in {"accepted", "waiting"}
            return
        except BadResponse:
            assert name == "except"
            assert not 1 <= days <= LONGEST_EXCEPTION_DAYS
            return
        self.standing = Standing(ANSWERS[name], self.now, before.last_seen, until)
        self.review = "waiting" if name == "not_ours" else ""

    @precondition(lambda self: self.review == "waiting")
    @rule(accepted=st.booleans())
    def judge(self, accepted: bool) -> None:
        after_judging(number="F-1", state=self.standing.state, review=self.review, reason="so")
        state, self.review = ("not_ours", "accepted") if accepted else ("open", "rejected")
        self.standing = Standing(state, self.now, self.standing.last_seen)

    @invariant()
    def an_exception_always_has_its_day(self) -> None:
        assert (self.standing.until is not None) == (self.standing.state == "excepted")

    @invariant()
    def only_not_ours_waits_for_judgement(self) -> None:
        assert self.review != "waiting" or self.standing.state == "not_ours"


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=30)


@given(st.lists(st.sampled_from(STATES), max_size=6))
def test_answers_to_assets_settle_only_without_an_open_one(states):
    found = settled(states)
    assert (found is None) == (not states or "open" in states)
    if found is not None and len(set(states)) > 1:
        assert found == "acknowledged"


def test_an_assets_answer_ends_as_the_findings_does():
    day = date(2026, 11, 23)
    fixed = AssetAnswer("fixed", START)
    assert asset_state(None, last_seen=START, today=day) == "open"
    assert asset_state(fixed, last_seen=START, today=day) == "fixed"
    assert asset_state(fixed, last_seen=START + timedelta(seconds=1), today=day) == "open"
    excepted = AssetAnswer("excepted", START, day + timedelta(days=1))
    assert asset_state(excepted, last_seen=START, today=day) == "excepted"
    assert asset_state(excepted, last_seen=START, today=day + timedelta(days=1)) == "open"


@pytest.mark.parametrize("answer", ["except", "not_ours"])
def test_grave_answers_say_why(answer):
    with pytest.raises(BadResponse):
        checked_reason(answer, "  \n ")
    assert checked_reason(answer, " a \n b ") == "a\nb"
    assert checked_reason("fixed", "") == ""
    for wrong in ("x" * 2_001, "a\0b"):
        with pytest.raises(BadResponse):
            checked_reason(answer, wrong)


def test_what_does_not_wait_is_not_judged():
    with pytest.raises(CannotJudge):
        after_judging(number="F-1", state="open", review="", reason="x")
    with pytest.raises(BadResponse):
        answer_named("shrug")


@given(
    st.integers(0, 10**7 - 1).map(lambda n: n * 10 % 10**7 + 3),
    st.integers(0, 10**7 - 1),
    st.lists(st.integers(0, 3 * 10**7), min_size=2, max_size=60, unique=True),
)
def test_numbers_are_never_given_twice(factor, offset, places):
    factor = factor if factor % 5 and factor % 2 else 7
    numbers = {written_number(place, factor, offset) for place in places}
    assert len(numbers) == len(places)
