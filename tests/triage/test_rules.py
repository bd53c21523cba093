"""The clock, the state machine, who may move what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muhafiz.common.refusal import Refusal
from muhafiz.triage import rules
from muhafiz.triage.rules import Standing

#: A busy machine draws slowly; that is no fault of a rule.

MOMENTS = st.integers(0, 630_000_000).map(
    lambda seconds: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
SEVERITIES = st.sampled_from(rules.SEVERITIES)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "kind": st.sampled_from(["*", "finding", "silent-feed"]),
            "severity": st.sampled_from(["*", *rules.SEVERITIES]),
            "minutes": st.integers(0, 100_000),
        }
    ),
    max_size=12,
)


@given(ROWS, SEVERITIES)
def test_the_row_that_says_most_sets_the_target(rows, severity):
    found = rules.target_minutes(rows, "finding", severity)
    fitting = [
        (2 * (row["kind"] == "finding") + (row["severity"] == severity), row["minutes"])
        for row in rows
        if row["kind"] in {"*", "finding"} and row["severity"] in {"*", severity}
    ]
    if not fitting:
        assert found is None
    else:
        best = max(weight for weight, _minutes in fitting)
        assert found == next(minutes for weight, minutes in fitting if weight == best)


@pytest.mark.parametrize("minutes", [None, "30", -1, True, 1.5])
def test_a_row_without_sense_sets_no_target(minutes):
    assert rules.target_minutes([{"kind": "*", "minutes": minutes}], "x", "high") is None


@given(MOMENTS, st.integers(0, 10_000) | st.none(), MOMENTS)
def test_a_clock_counts_from_the_arrival_wherever_the_hands_are_set_later(arrived, minutes, now):
    due = rules.due_time(arrived, minutes)
    look = rules.clock_look(arrived, due, now)
    if due is None:
        assert (look, rules.is_overdue(due, now)) == ("none", False)
        return
    assert due - arrived == timedelta(minutes=minutes or 0)
    assert (look == "over") == rules.is_overdue(due, now) == (now > due)


@given(MOMENTS, st.integers(1, 10_000), MOMENTS)
def test_what_is_left_of_a_clock_runs_from_one_to_nothing(arrived, minutes, now):
    due = arrived + timedelta(minutes=minutes)
    left = rules.time_left(arrived, due, now)
    assert 0 <= left <= 1
    assert (left == 0) == (now >= due)
    assert (left == 1) == (now <= arrived)
    near = rules.near_since(arrived, due)
    assert (rules.clock_look(arrived, due, now) == "near") == (near <= now <= due)
    assert rules.time_left(arrived, arrived, now) == 0


@given(SEVERITIES)
def test_a_rank_is_its_severity(severity):
    assert rules.severity_of(rules.rank_of(severity)) == severity


def standing(state: str, owner: int | None = None, version: int = 1) -> Standing:
    return Standing("Q-1", state, owner, "Amna", version, "Bilal")


@given(
    st.sampled_from(rules.ACTS), st.sampled_from(rules.STATES), st.none() | st.integers(1, 3),
    st.integers(1, 3), st.none() | st.integers(1, 2),
)  # fmt: skip
def test_an_act_is_refused_or_leads_to_a_state_it_fits(act, state, owner, me, seen):
    stale = seen == 2 and act != "take"
    held = act == "take" and owner not in {None, me} and state != rules.CLOSED
    if stale or held or not rules.reaches(act, state):
        with pytest.raises(Refusal):
            rules.check_act(act, standing(state, owner), person=me, seen=seen)
        return
    rules.check_act(act, standing(state, owner), person=me, seen=seen)
    after = rules.state_after(act, owner)
    assert after in rules.STATES
    assert (after == rules.CLOSED) == (act == "close")
    # From every state that follows, something can be done: no item is stuck.
    assert any(rules.reaches(further, after) for further in rules.ACTS)


@given(st.lists(st.sampled_from(rules.ACTS), max_size=30))
def test_whatever_officers_do_an_item_stays_in_a_known_state(acts):
    state, owner = rules.NEW, None
    for act in acts:
        if not rules.reaches(act, state):
            continue
        owner = {"take": 7, "assign": 8, "release": None}.get(act, owner)
        state = rules.state_after(act, owner)
        assert (state == rules.NEW) <= (owner is None)
        assert (state == rules.TAKEN) <= (owner is not None)


def test_who_is_second_is_told_who_has_it():
    with pytest.raises(rules.CannotTake, match="Q-1 is with Amna"):
        rules.check_act("take", standing(rules.TAKEN, owner=2), person=3, seen=1)


def test_what_changed_meanwhile_is_looked_at_again():
    with pytest.raises(rules.ItemChanged, match="changed by Bilal"):
        rules.check_act("close", standing(rules.NEW, version=4), person=3, seen=3)
    rules.check_act("take", standing(rules.NEW, version=4), person=3, seen=3)


@pytest.mark.parametrize(
    ("act", "reason", "text"),
    [("close", "", "x"), ("close", "resolved", "  "), ("close", "nonsense", "x"), ("wait", "", "")],
)
def test_a_closing_says_why(act, reason, text):
    with pytest.raises(rules.ReasonMissing):
        rules.check_reason(act, reason, text)


@given(MOMENTS, st.timedeltas(timedelta(days=-800), timedelta(days=800)))
def test_an_item_waits_until_a_day_that_has_sense(now, ahead):
    good = timedelta(0) < ahead <= timedelta(days=366)
    try:
        rules.check_until(now + ahead, now)
    except rules.BadWait:
        assert not good
    else:
        assert good


@given(st.text(max_size=300))
def test_a_note_is_kept_as_any_database_can_keep_it(text):
    kept = rules.clean_note(text, needed=False)
    assert "\0" not in kept
    kept.encode()
    assert rules.clean_note(kept, needed=False) == kept


@pytest.mark.parametrize("text", ["", " \n ", "x" * 10_001])
def test_an_empty_or_endless_note_is_refused(text):
    with pytest.raises(rules.BadNote):
        rules.clean_note(text)
