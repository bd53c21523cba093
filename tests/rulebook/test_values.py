"""Values at a date, changes by two people, profiles that overwrite nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from muhafiz.accounts.rules import NotAllowed
from muhafiz.audit.queries import current_head, entries
from muhafiz.common.actor import Actor
from muhafiz.rulebook import queries
from muhafiz.rulebook.actions.profile import NoSuchProfile, enter_profile, load_profile
from muhafiz.rulebook.actions.proposals import (
    NoSuchProposal,
    approve_value,
    propose_value,
    reject_value,
)
from muhafiz.rulebook.models import Value, ValuesAreHistory
from muhafiz.rulebook.rules import BadValue, CannotApprove, Draft, UnknownValue

ROOT = Actor.command("root")


def person(number, role="director"):
    return Actor(kind="person", identifier=str(number), name=f"P{number}", roles=frozenset({role}))


@pytest.fixture
def pakistan(db, now):
    return load_profile("pakistan", actor=ROOT, now=now)


def agree(now, **value):
    parts = {"source": "the gazette", "standing": "S"} | value
    number = propose_value(**parts, actor=person(1), now=now)
    return approve_value(proposal_id=number, actor=person(2), now=now)


def test_the_profile_answers(pakistan, now):
    assert pakistan > 40
    assert queries.value("jurisdiction.timezone", at=now) == "Asia/Karachi"
    assert queries.value("cert.name", at=now)["ur"].startswith("نیشنل")
    assert {s["code"] for s in queries.value("sectors", at=now)} >= {"power", "public", "telecom"}
    assert queries.value("jurisdiction.languages", at=now) == ["en", "ur"]


def test_loading_twice_enters_nothing(pakistan, now):
    size = current_head().size
    assert load_profile("pakistan", actor=ROOT, now=now + timedelta(days=1)) == 0
    assert current_head().size == size


def test_an_unknown_profile_names_those_there_are(db, now):
    with pytest.raises(NoSuchProfile, match="pakistan"):
        load_profile("atlantis", actor=ROOT, now=now)
    with pytest.raises(NoSuchProfile):
        load_profile("../profiles/pakistan", actor=ROOT, now=now)


def test_what_is_unknown_is_refused_with_the_reason(pakistan, now):
    with pytest.raises(UnknownValue, match="gazetted text"):
        queries.value("council.quorum", at=now)
    with pytest.raises(UnknownValue, match="no value is entered"):
        queries.value("no.such.key", at=now)
    assert queries.value_or("council.quorum", None, at=now) is None
    assert queries.value_or("jurisdiction.timezone", "UTC", at=now) == "Asia/Karachi"


def test_a_value_holds_between_its_dates(pakistan):
    def size(*day):
        return queries.value_or("council.size", None, at=datetime(*day, tzinfo=UTC))

    assert [size(2024, 7, 1), size(2024, 12, 1), size(2025, 5, 1), size(2026, 1, 1)] == [
        None,
        15,
        16,
        14,
    ]
    edge = datetime(2025, 3, 31, 19, tzinfo=UTC)  # midnight in Karachi
    assert queries.value("council.size", at=edge) == 16
    assert queries.value("council.size", at=edge - timedelta(microseconds=1)) == 15


def test_a_change_takes_two_people(pakistan, now):
    earlier = entries(subject="proposal:*")  # of committed tests: the log is never emptied
    number = propose_value(
        key="council.quorum", value=8, source="gazette", standing="S", actor=person(1), now=now
    )
    assert queries.value_or("council.quorum", None, at=now) is None
    with pytest.raises(CannotApprove, match="does not decide"):
        approve_value(proposal_id=number, actor=person(1), now=now)
    with pytest.raises(CannotApprove, match="does not decide"):
        reject_value(proposal_id=number, actor=person(1), now=now, reason="changed my mind")
    approve_value(proposal_id=number, actor=person(2), now=now)
    assert queries.value("council.quorum", at=now) == 8
    fact = queries.fact("council.quorum", at=now)
    assert (fact.proposed_by, fact.approved_by, fact.origin) == ("person:1", "person:2", "local")
    with pytest.raises(CannotApprove, match="approved already"):
        approve_value(proposal_id=number, actor=person(3), now=now)
    told = [e for e in entries(subject=f"proposal:{number}") if e not in earlier]
    assert [e.action for e in told] == ["rulebook.approve_value", "rulebook.propose_value"]


def test_a_rejected_proposal_changes_nothing_and_stays_on_record(pakistan, now):
    number = propose_value(
        key="council.size", value=3, source="rumor", standing="U", actor=person(1), now=now
    )
    reject_value(proposal_id=number, actor=person(2), now=now, reason="no source")
    assert queries.value("council.size", at=now) == 14
    told = queries.proposal(number)
    assert (told.state, told.decided_name, told.reason) == ("rejected", "P2", "no source")
    assert queries.proposals() == []
    assert [p.id for p in queries.proposals(state=None)] == [number]


@pytest.mark.parametrize("role", ["analyst", "auditor", "duty_officer", "constituent_admin"])
def test_who_may_not_propose_or_approve(pakistan, now, role):
    draft = {"key": "council.quorum", "value": 8, "source": "g", "standing": "S"}
    with pytest.raises(NotAllowed):
        propose_value(**draft, actor=person(1, role), now=now)
    number = propose_value(**draft, actor=person(1), now=now)
    for actor in (person(2, role), Actor.job("rulebook.approve")):
        with pytest.raises(NotAllowed):
            approve_value(proposal_id=number, actor=actor, now=now)
    assert queries.value_or("council.quorum", None, at=now) is None


def test_a_bad_proposal_is_refused_at_once(pakistan, now):
    with pytest.raises(BadValue, match="whole number"):
        propose_value(
            key="council.quorum", value="8", source="g", standing="S", actor=person(1), now=now
        )
    with pytest.raises(NoSuchProposal):
        approve_value(proposal_id=99, actor=person(2), now=now)


def test_history_stays_and_the_past_can_still_be_asked(pakistan, now):
    first = agree(now, key="audits.response_days", value=10, valid_from=now)
    second = agree(now, key="audits.response_days", value=14, valid_from=now + timedelta(days=5))
    assert queries.value("audits.response_days", at=now - timedelta(days=1)) == 7
    assert queries.value("audits.response_days", at=now) == 10
    assert queries.value("audits.response_days", at=now + timedelta(days=6)) == 14
    assert [fact.id for fact in queries.history("audits.response_days")][:2] == [second, first]


def test_a_known_value_can_become_unknown(pakistan, now):
    agree(now, key="audits.response_days", value=None, unknown=True, note="the circular lapsed.")
    with pytest.raises(UnknownValue, match="lapsed"):
        queries.value("audits.response_days", at=now)


def test_values_cannot_be_changed_or_removed(pakistan, now):
    row = Value.objects.first()
    row.value = '"x"'
    for change in (
        row.save,
        row.delete,
        Value.objects.all().delete,
        lambda: Value.objects.update(value='"x"'),
    ):
        with pytest.raises(ValuesAreHistory):
            change()


def test_a_newer_profile_overwrites_no_local_change(pakistan, now):
    agree(now, key="council.term_warning_days", value=90)
    newer = Draft("council.term_warning_days", 30, False, None, None, "newer", "", "I")
    untouched = Draft("cii.review_months", 6, False, None, None, "newer", "", "I")
    later = now + timedelta(days=1)
    assert enter_profile("pakistan", [newer, untouched], actor=ROOT, now=later) == 2
    assert queries.value("council.term_warning_days", at=later) == 90
    assert queries.value("cii.review_months", at=later) == 6  # nobody had agreed otherwise
    assert enter_profile("pakistan", [newer, untouched], actor=ROOT, now=later) == 0
    assert enter_profile("pakistan", [replace(newer, value=31)], actor=ROOT, now=later) == 1
    assert queries.value("council.term_warning_days", at=later) == 90
    restored = replace(untouched, value=12)
    assert enter_profile("pakistan", [restored], actor=ROOT, now=later) == 1
    assert enter_profile("pakistan", [untouched], actor=ROOT, now=later) == 1  # back again
    assert queries.value("cii.review_months", at=later) == 6


def test_the_book_tells_everything_once_in_one_query(pakistan, now, django_assert_num_queries):
    agree(now, key="council.quorum", value=8)
    with django_assert_num_queries(1):
        book = queries.book(at=now)
    keys = [fact.key for fact in book]
    assert keys == sorted(set(keys))
    by_key = {fact.key: fact for fact in book}
    assert by_key["council.quorum"].value == 8
    assert by_key["reporting.penalties"].unknown
    assert by_key["sectors"].meaning


DAYS = st.integers(0, 40)


@given(
    st.lists(st.tuples(st.none() | DAYS, st.none() | DAYS, st.integers(0, 99)), max_size=6), DAYS
)
@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_what_was_agreed_last_holds_where_it_applies(db, agreed, day):
    Value.objects.all()._raw_delete("default")
    start = datetime(2026, 1, 1, tzinfo=UTC)
    expected = None
    for since, until, size in agreed:
        if since is not None and until is not None and since >= until:
            continue
        agree(
            start,
            key="council.size",
            value=size,
            valid_from=None if since is None else start + timedelta(days=since),
            valid_to=None if until is None else start + timedelta(days=until),
        )
        if (since is None or since <= day) and (until is None or day < until):
            expected = size
    at = start + timedelta(days=day)
    assert queries.value_or("council.size", None, at=at) == expected
