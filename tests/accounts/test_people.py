"""People, their roles, and how they get in."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from muhafiz.accounts import queries
from muhafiz.accounts.actions.clock import ClockWentBack
from muhafiz.accounts.actions.entry import (
    CannotEnter,
    CannotIssueLink,
    issue_entry_link,
    redeem_entry_link,
)
from muhafiz.accounts.actions.people import (
    BadEmail,
    NoSuchPerson,
    grant_role,
    readmit_person,
    register_person,
    revoke_role,
    suspend_person,
)
from muhafiz.accounts.rules import CannotGrant, CannotHoldRole, NotAllowed
from muhafiz.audit.queries import current_head, entries
from muhafiz.common.actor import Actor

ROOT = Actor.command("root")
HOUR = timedelta(hours=1)


@pytest.fixture
def person(db, now):
    return register_person(email="Ayesha@cert.example", name="Ayesha", actor=ROOT, now=now)


@pytest.fixture
def link(person, now):
    return issue_entry_link(email=person.email, valid_for=HOUR, actor=ROOT, now=now)


def test_registering_twice_is_registering_once(person, now):
    size = current_head().size
    again = register_person(email=" AYESHA@CERT.example", name="Other", actor=ROOT, now=now)
    assert again == person
    assert current_head().size == size
    assert queries.person_by_email("ayesha@CERT.EXAMPLE") == person


@pytest.mark.parametrize("email", ["", "ayesha", "a@b@c", "a b@c.example", "a@c.example\nBcc: x@y"])
def test_what_is_no_address_is_refused(db, now, email):
    with pytest.raises(BadEmail):
        register_person(email=email, name="A", actor=ROOT, now=now)


def test_a_role_counts_from_the_next_look_and_no_longer_than_it_is_held(person, now):
    assert queries.person_actor(person.id).roles == frozenset()
    grant_role(person_id=person.id, role="analyst", actor=ROOT, now=now)
    grant_role(person_id=person.id, role="analyst", actor=ROOT, now=now)
    assert queries.person_actor(person.id).roles == {"analyst"}
    revoke_role(person_id=person.id, role="analyst", actor=ROOT, now=now)
    revoke_role(person_id=person.id, role="analyst", actor=ROOT, now=now)
    assert queries.person_actor(person.id).roles == frozenset()
    grant_role(person_id=person.id, role="analyst", actor=ROOT, now=now)
    told = [e.action for e in entries(subject=f"person:{person.id}")]
    assert told == [
        "accounts.grant_role",
        "accounts.revoke_role",
        "accounts.grant_role",
        "accounts.register_person",
    ]


def test_only_those_who_may_change_roles(person, now):
    boss = register_person(email="boss@cert.example", name="Boss", actor=ROOT, now=now)
    grant_role(person_id=boss.id, role="administrator", actor=ROOT, now=now)
    administrator = queries.person_actor(boss.id)
    grant_role(person_id=person.id, role="analyst", actor=administrator, now=now)
    analyst = queries.person_actor(person.id)
    with pytest.raises(NotAllowed):
        grant_role(person_id=boss.id, role="director", actor=analyst, now=now)
    with pytest.raises(NotAllowed):
        register_person(email="x@cert.example", name="X", actor=analyst, now=now)
    with pytest.raises(CannotGrant):
        grant_role(person_id=boss.id, role="duty_officer", actor=administrator, now=now)
    with pytest.raises(CannotHoldRole):
        grant_role(person_id=boss.id, role="director", actor=ROOT, now=now)
    with pytest.raises(NoSuchPerson):
        grant_role(person_id=999_999, role="analyst", actor=ROOT, now=now)
    assert queries.person(boss.id).roles == {"administrator"}


def test_suspended_people_are_out_at_once(person, link, now):
    grant_role(person_id=person.id, role="analyst", actor=ROOT, now=now)
    suspend_person(person_id=person.id, actor=ROOT, now=now)
    assert queries.person_actor(person.id) is None
    with pytest.raises(CannotEnter):
        redeem_entry_link(token=link, now=now)
    with pytest.raises(CannotIssueLink):
        issue_entry_link(email=person.email, valid_for=HOUR, actor=ROOT, now=now)
    readmit_person(person_id=person.id, actor=ROOT, now=now)
    assert queries.person_actor(person.id).roles == {"analyst"}


def test_people_are_listed_at_the_same_cost(person, now, django_assert_num_queries):
    with django_assert_num_queries(2):
        assert len(queries.people()) == 1
    for name in "bcd":
        made = register_person(email=f"{name}@cert.example", name=name, actor=ROOT, now=now)
        grant_role(person_id=made.id, role="analyst", actor=ROOT, now=now)
    with django_assert_num_queries(2):
        assert [p.name for p in queries.people(role="analyst")] == ["b", "c", "d"]


def test_a_link_opens_the_door_once(person, link, now):
    entered = redeem_entry_link(token=link, now=now + HOUR - timedelta(seconds=1))
    assert (entered.kind, entered.identifier) == ("person", str(person.id))
    with pytest.raises(CannotEnter):
        redeem_entry_link(token=link, now=now + HOUR - timedelta(seconds=1))
    assert entries(limit=1)[0].action == "accounts.redeem_entry_link"


def test_a_link_expires(link, now):
    with pytest.raises(CannotEnter):
        redeem_entry_link(token=link, now=now + HOUR)


@pytest.mark.parametrize("token", ["", "x", "\0", "\ud800", "A" * 10_000])
def test_a_guess_opens_nothing(link, now, token):
    with pytest.raises(CannotEnter):
        redeem_entry_link(token=token, now=now)


def test_a_clock_set_back_does_not_revive_an_expired_link(person, link, now):
    late = now + timedelta(days=10)
    with pytest.raises(CannotEnter):
        redeem_entry_link(token=link, now=late)
    issue_entry_link(email=person.email, valid_for=HOUR, actor=ROOT, now=late)
    with pytest.raises(ClockWentBack):
        redeem_entry_link(token=link, now=now)
    with pytest.raises(ClockWentBack):
        issue_entry_link(email=person.email, valid_for=HOUR, actor=ROOT, now=now)


def test_a_link_of_the_future_is_not_taken(person, now):
    token = issue_entry_link(
        email=person.email, valid_for=HOUR, actor=ROOT, now=now + timedelta(days=10)
    )
    with pytest.raises(ClockWentBack):
        redeem_entry_link(token=token, now=now)


def test_the_token_is_kept_nowhere(link):
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            assert all(link not in str(value) for row in cursor.fetchall() for value in row)


@pytest.mark.parametrize("valid_for", [timedelta(0), -HOUR, timedelta(days=8)])
def test_a_link_lives_for_a_week_at_most(person, now, valid_for):
    with pytest.raises(CannotIssueLink):
        issue_entry_link(email=person.email, valid_for=valid_for, actor=ROOT, now=now)


def test_a_link_for_nobody_is_refused(db, now):
    with pytest.raises(CannotIssueLink):
        issue_entry_link(email="nobody@cert.example", valid_for=HOUR, actor=ROOT, now=now)


def test_only_administrators_and_operators_issue_links(person, now):
    with pytest.raises(NotAllowed):
        issue_entry_link(
            email=person.email, valid_for=HOUR, actor=queries.person_actor(person.id), now=now
        )
