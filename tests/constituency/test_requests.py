"""Constituents ask, the CERT decides; a constituent learns nothing about others."""

from __future__ import annotations

import pytest

from muhafiz.accounts.rules import NotAllowed
from muhafiz.common.actor import Actor
from muhafiz.constituency.actions.claims import add_claim
from muhafiz.constituency.actions.organizations import register_organization
from muhafiz.constituency.actions.requests import (
    approve_request,
    refuse_request,
    request_claim,
    withdraw_request,
)
from muhafiz.constituency.holdings import (
    clashing_claims,
    held_claims,
    open_requests,
    own_organizations,
    request,
    requests,
)
from muhafiz.constituency.request_rules import CannotDecide, CannotRequest
from muhafiz.constituency.rules import BadClaim, NoSuchOrganization, NoSuchRecord

pytestmark = pytest.mark.django_db
DESK = Actor("person", "1", "Liaison", frozenset({"sector_liaison"}))


def of(organization: int) -> Actor:
    return Actor("person", "9", "Owner", frozenset({"constituent_officer"}), organization)


@pytest.fixture
def make(now):
    def made(name: str, **more) -> int:
        return register_organization(name_en=name, language="en", actor=DESK, now=now, **more)

    return made


def ask(organization: int, now, **more) -> int:
    told = {"wanted": "add", "kind": "address", "value": "203.0.113.0/24", "note": "new line"}
    return request_claim(
        organization_id=organization, actor=of(organization), now=now, **(told | more)
    )


def test_nothing_is_held_before_it_is_approved(make, now):
    mine = make("Indus Power")
    number = ask(mine, now)
    assert held_claims(viewer=of(mine), at=now) == []
    assert [each.id for each in open_requests(viewer=DESK)] == [number]
    approve_request(request_id=number, actor=DESK, now=now)
    assert [each.text for each in held_claims(viewer=of(mine), at=now)] == ["203.0.113.0/24"]
    found = request(number, viewer=of(mine))
    assert (found.state, found.decided_by) == ("approved", "Liaison")
    with pytest.raises(CannotDecide):
        refuse_request(request_id=number, reason="too late", actor=DESK, now=now)


def test_an_end_ends_tomorrow(make, now):
    from datetime import timedelta

    mine = make("Indus Power")
    add_claim(organization_id=mine, kind="domain", value="power.example", actor=DESK, now=now)
    number = ask(mine, now, wanted="end", kind="domain", value="Power.Example.")
    approve_request(request_id=number, actor=DESK, now=now)
    assert len(held_claims(viewer=of(mine), at=now)) == 1
    assert held_claims(viewer=of(mine), at=now + timedelta(days=1)) == []


@pytest.mark.parametrize(
    ("more", "refusal"),
    [
        ({"value": "203.0.113.1/24"}, BadClaim),
        ({"value": "0.0.0.0/0"}, CannotRequest),
        ({"kind": "domain", "value": "example"}, BadClaim),
        ({"wanted": "end"}, CannotRequest),
        ({"wanted": "steal"}, CannotRequest),
        ({"kind": "planet"}, BadClaim),
        ({"note": "x" * 501}, CannotRequest),
    ],
)
def test_bad_requests_are_refused(make, now, more, refusal):
    with pytest.raises(refusal):
        ask(make("Indus Power"), now, **more)


def test_once_is_enough(make, now):
    mine = make("Indus Power")
    number = ask(mine, now)
    with pytest.raises(CannotRequest):
        ask(mine, now)
    withdraw_request(request_id=number, actor=of(mine), now=now)
    ask(mine, now)


def test_a_refusal_says_why(make, now):
    mine = make("Indus Power")
    number = ask(mine, now)
    with pytest.raises(CannotDecide):
        refuse_request(request_id=number, reason=" ", actor=DESK, now=now)
    refuse_request(request_id=number, reason="the registry says no", actor=DESK, now=now)
    assert request(number, viewer=of(mine)).reason == "the registry says no"


def test_only_staff_see_who_else_claims_it(make, now):
    mine, theirs = make("Indus Power"), make("Quetta Water")
    for kind, value in (("address", "203.0.113.0/25"), ("domain", "a.power.example")):
        add_claim(organization_id=theirs, kind=kind, value=value, actor=DESK, now=now)
    add_claim(organization_id=theirs, kind="address", value="203.0.112.0/24", actor=DESK, now=now)
    number = ask(mine, now)  # no refusal betrays the other claim
    found = request(number, viewer=DESK)
    assert [each.text for each in clashing_claims(found, at=now)] == ["203.0.113.0/25"]
    name = request(ask(mine, now, kind="domain", value="power.example"), viewer=DESK)
    assert [each.text for each in clashing_claims(name, at=now)] == ["a.power.example"]


def test_strangers_ask_see_and_withdraw_nothing(make, now):
    mine, theirs = make("Indus Power"), make("Quetta Water")
    number = ask(mine, now)
    with pytest.raises(NoSuchOrganization):
        request_claim(
            organization_id=mine, wanted="add", kind="asn", value="AS64500",
            actor=of(theirs), now=now,
        )  # fmt: skip
    with pytest.raises(NoSuchOrganization):
        withdraw_request(request_id=number, actor=of(theirs), now=now)
    assert requests(viewer=of(theirs)) == []
    assert request(number, viewer=of(theirs)) is None
    with pytest.raises(NotAllowed):
        approve_request(request_id=number, actor=of(mine), now=now)
    with pytest.raises(NoSuchRecord):
        approve_request(request_id=number + 1, actor=DESK, now=now)


def test_ones_own_comes_first(make, now):
    above = make("University")
    make("A College", parent_id=above)
    make("Elsewhere")
    names = [each.name_en for each in own_organizations(viewer=of(above))]
    assert names == ["University", "A College"]
