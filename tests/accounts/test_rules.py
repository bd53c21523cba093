"""The matrix, asked every question it can be asked."""

from __future__ import annotations

import pytest

from muhafiz.accounts.rules import (
    CannotGrant,
    CannotHoldRole,
    NotAllowed,
    UnknownPermission,
    UnknownRole,
    check_grants,
    check_holds,
    check_may,
    matrix,
    may,
    plain_email,
    plain_name,
)
from muhafiz.common.actor import Actor


def person(*roles, kind="person"):
    return Actor(kind=kind, identifier="1", name="P", roles=frozenset(roles))


PAIRS = [(role, permission) for role in matrix().roles for permission in matrix().permissions]


@pytest.mark.parametrize(("role", "permission"), PAIRS)
def test_a_role_may_exactly_what_the_matrix_says(role, permission):
    allowed = role in matrix().permissions[permission]
    assert may(person(role), permission) == allowed
    if not allowed:
        with pytest.raises(NotAllowed, match=permission):
            check_may(person(role), permission)


@pytest.mark.parametrize("permission", matrix().permissions)
def test_nobody_without_a_role_may_anything(permission):
    assert not may(person(), permission)
    everything = person(*matrix().roles, "@command", "@job", kind="public")
    assert not may(everything, permission)
    assert not may(person("@command", "@job"), permission)


def test_the_lines_that_matter():
    assert not may(person("administrator"), "events.read")  # configures, reads no cases
    assert not may(person("administrator"), "notices.send")
    assert not may(person("administrator"), "rulebook.approve")
    reads = {p for p in matrix().permissions if may(person("auditor"), p)}
    assert all(permission.endswith(".read") for permission in reads - {"desk.use"})
    for role in matrix().constituents:
        held = {p for p in matrix().permissions if may(person(role), p)}
        own = {"findings", "holdings", "contacts", "letters", "portal"}
        assert all(p.partition(".")[0] in own or p == "people.invite" for p in held)
    assert not may(Actor.job("feeds.collect"), "rulebook.approve")
    assert not may(Actor.job("feeds.collect"), "people.edit")
    assert may(Actor.command("root"), "people.edit")


def test_every_permission_that_others_count_on_is_there():
    wanted = {
        "events.read",
        "reports.read",
        "reports.replay",
        "constituency.read",
        "constituency.edit",
        "notices.read",
        "notices.send",
        "jobs.read",
        "jobs.run",
        "audit.read",
        "rulebook.read",
        "rulebook.propose",
        "rulebook.approve",
        "feeds.read",
        "feeds.edit",
        "river.read",
    }
    assert wanted <= set(matrix().permissions)


def test_a_permission_that_is_not_there_is_no_yes():
    with pytest.raises(UnknownPermission):
        may(person("director"), "events.reed")


@pytest.mark.parametrize(
    ("role", "held", "organization", "why"),
    [
        ("analyst", {"auditor"}, None, "only role"),
        ("auditor", {"analyst"}, None, "only role"),
        ("director", {"administrator"}, None, "approve"),
        ("constituent_officer", set(), None, "constituent"),
        ("analyst", set(), 7, "constituent"),
    ],
)
def test_roles_that_do_not_go_together(role, held, organization, why):
    with pytest.raises(CannotHoldRole, match=why):
        check_holds(name="P", role=role, held=held, organization_id=organization)


def test_a_misspelt_role_gets_a_hint():
    with pytest.raises(UnknownRole, match="duty_officer"):
        check_holds(name="P", role="duty_oficer", held=(), organization_id=None)


def test_nobody_changes_their_own_roles():
    with pytest.raises(CannotGrant, match="own"):
        check_grants(person("administrator"), person_id=1, whom="P")
    check_grants(person("administrator"), person_id=2, whom="Q")
    with pytest.raises(NotAllowed):
        check_grants(person("director"), person_id=2, whom="Q")


def test_a_name_is_kept_as_written_but_for_control_characters():
    assert plain_name(" عائشہ\u200c صدیقی\r\n\0\ud800 ") == "عائشہ\u200c صدیقی"
    assert len(plain_name("a" * 300)) == 200


def test_an_address_has_one_spelling():
    assert plain_email("  Ayesha@CERT.example ") == "ayesha@cert.example"
