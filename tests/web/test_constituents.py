"""Constituents on the desk: the list and its cares, edits, merging, the liaison's page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from muhafiz.constituency import directory
from muhafiz.constituency.actions.claims import add_claim
from muhafiz.constituency.actions.organizations import register_organization
from muhafiz.constituency.cares import care_of, cares_at
from muhafiz.constituency.merging import merge_preview
from muhafiz.constituency.queries import current_contacts, organization
from muhafiz.detection.owners import OwnerStanding, silent_owners, standings
from muhafiz.keyring.openpgp import new_certificate
from tests.web.given import OPERATOR, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def liaison(entered):
    return entered("sector_liaison")


@pytest.fixture
def power(db):
    return made("Power Works")


def made(name):
    return register_organization(name_en=name, actor=OPERATOR, now=datetime.now(UTC))


def page(number):
    return f"/desk/constituents/{number}/"


def facts(number):
    return directory.organization_page(number, viewer=OPERATOR, at=datetime.now(UTC))


def test_an_organization_is_entered_and_edited(liaison):
    sent = {"name_en": "River Board", "name_ur": "دریا", "language": "ur", "note": "calls first"}
    answer = liaison.post("/desk/constituents/register/", sent)
    number = int(answer["Location"].rstrip("/").rsplit("/", 1)[1])
    assert organization(number).name_ur == "دریا"
    assert 'value="River Board"' in liaison.get(f"{page(number)}edit/").content.decode()
    above = made("Ministry")
    liaison.post(f"{page(number)}save/", {**sent, "name_en": "River Boards", "parent": above})
    found = organization(number)
    assert (found.name_en, found.parent_id) == ("River Boards", above)


@pytest.mark.parametrize("name", ["", "=cmd()"])
def test_a_name_that_cannot_be_is_said_and_kept(liaison, power, name):
    for path in ("/desk/constituents/register/", f"{page(power)}save/"):
        answer = liaison.post(path, {"name_en": name, "language": "en", "note": "typed text"})
        assert answer.status_code == 400
        assert "typed text" in answer.content.decode()


def test_claims_are_entered_ended_and_taken_back(liaison, power):
    answer = liaison.post(f"{page(power)}claims/", {"kind": "address", "value": "192.0.2.1/24"})
    assert answer.status_code == 400
    assert 'value="192.0.2.1/24"' in answer.content.decode()
    for value in ("192.0.2.0/24", "198.51.100.0/24"):
        liaison.post(f"{page(power)}claims/", {"kind": "address", "value": value})
    first, second = facts(power).claims
    end = {"act": "end", "valid_to": "2030-01-01"}
    liaison.post(f"{page(power)}claims/{first.id}/", end)
    assert liaison.post(f"{page(power)}claims/{second.id}/", {"act": "withdraw"}).status_code == 400
    liaison.post(f"{page(power)}claims/{second.id}/", {"act": "withdraw", "reason": "a slip"})
    (left,) = facts(power).claims
    assert (left.id, left.valid_to.isoformat()) == (first.id, "2030-01-01")
    wrong = liaison.post(f"{page(power)}claims/{first.id}/", {"act": "end", "valid_to": "soon"})
    assert "is no date" in wrong.content.decode()


def test_a_contact_with_a_key_is_entered_changed_confirmed_and_ended(liaison, power):
    expires = new_certificate("<a@power.example>", valid_for=timedelta(days=10))
    key = SimpleUploadedFile("key.asc", expires.public.encode())
    sent = {"address": "a@power.example", "role": "abuse", "file": key}
    assert liaison.post(f"{page(power)}contacts/add/", sent).status_code == 302
    (contact,) = current_contacts([power])
    assert contact.fingerprint == expires.fingerprint
    assert contact.key_expires_at is not None
    own = f"{page(power)}contacts/{contact.id}/"
    assert contact.fingerprint in liaison.get(own).content.decode()
    liaison.post(f"{own}save/", {"address": "b@power.example", "role": "ciso"})
    (changed,) = current_contacts([power])
    assert (changed.address, changed.fingerprint) == ("b@power.example", expires.fingerprint)
    liaison.post(f"{own}save/", {"address": "b@power.example", "role": "ciso", "forget": "1"})
    assert current_contacts([power])[0].certificate is None
    liaison.post(f"{own}confirm/", {"next": "/desk/liaison/"})
    assert current_contacts([power])[0].confirmed_at is not None
    assert liaison.post(f"{own}withdraw/", {"reason": ""}).status_code == 400
    liaison.post(f"{own}withdraw/", {"reason": "left"})
    assert current_contacts([power]) == []


@pytest.mark.parametrize(
    "sent",
    [
        {"address": "no address", "role": "abuse"},
        {"address": "a@power.example", "role": "abuse", "certificate": "rubbish"},
        {"address": "a@power.example", "role": "abuse", "hours": "sometimes"},
    ],
)
def test_a_contact_that_cannot_be_is_said_and_kept(liaison, power, sent):
    answer = liaison.post(f"{page(power)}contacts/add/", sent)
    assert answer.status_code == 400
    shown = answer.content.decode()
    assert "error-summary" in shown
    assert sent["address"] in shown
    file = SimpleUploadedFile("key.asc", b"\xff" * 10)
    answer = liaison.post(f"{page(power)}contacts/add/", {**sent, "file": file})
    assert answer.status_code == 400


def test_what_belongs_to_another_organization_is_not_there(liaison, power):
    other = made("Other")
    liaison.post(f"{page(other)}contacts/add/", {"address": "a@other.example", "role": "abuse"})
    liaison.post(f"{page(other)}claims/", {"kind": "domain", "value": "other.example"})
    (contact,) = current_contacts([other])
    claim = facts(other).claims[0].id
    for path in (f"contacts/{contact.id}/confirm/", f"contacts/{contact.id}/withdraw/",
                 f"contacts/{contact.id}/save/", f"claims/{claim}/"):  # fmt: skip
        assert liaison.post(f"{page(power)}{path}", {"reason": "x"}).status_code == 404
    assert liaison.get(f"{page(power)}contacts/{contact.id}/").status_code == 404


def test_letters_are_held_back_and_let_go(liaison, power):
    assert liaison.post(f"{page(power)}inhibit/", {"until": "2020-01-01"}).status_code == 400
    sent = {"until": "2099-01-01", "classes": "*", "reason": "maintenance"}
    liaison.post(f"{page(power)}inhibit/", sent)
    (held,) = facts(power).inhibitions
    assert held.reason == "maintenance"
    liaison.post(f"{page(power)}inhibitions/{held.id}/")
    assert facts(power).inhibitions == ()


def test_merging_shows_first_what_moves(liaison, power):
    now = datetime.now(UTC)
    other = made("Power Sub")
    for owner in (power, other):
        add_claim(organization_id=owner, kind="domain", value="shared.example", actor=OPERATOR, now=now)  # fmt: skip
    add_claim(organization_id=other, kind="asn", value="AS64500", actor=OPERATOR, now=now)
    preview = merge_preview(power, other, now.date())
    assert [claim.text for claim in preview.claims] == ["AS64500", "shared.example"]
    assert preview.doubled == {"shared.example"}
    shown = liaison.get(f"{page(power)}merge/?other={other}").content.decode()
    assert "AS64500" in shown
    assert "Merge them" in shown
    assert organization(other).merged_into_id is None, "looking writes nothing"
    liaison.post(f"{page(power)}merge/do/", {"other": other, "since": now.date().isoformat()})
    assert organization(other).merged_into_id == power
    assert "AS64500" in {claim.text for claim in facts(power).claims}
    again = liaison.post(f"{page(power)}merge/do/", {"other": other, "since": "2026-11-24"})
    assert again.status_code == 400


def test_what_cannot_be_merged_says_why(liaison, power):
    below = register_organization(
        name_en="Below", parent_id=power, actor=OPERATOR, now=datetime.now(UTC)
    )
    assert "stands below" in liaison.get(f"{page(below)}merge/?other={power}").content.decode()
    assert "the same" in liaison.get(f"{page(power)}merge/?other={power}").content.decode()
    assert liaison.get(f"{page(power)}merge/?other=999999").status_code == 400


def test_the_cares_narrow_the_list(liaison, power):
    now = datetime.now(UTC)
    other = made("Kept Well")
    liaison.post(f"{page(other)}contacts/add/", {"address": "a@other.example", "role": "abuse"})
    add_claim(organization_id=power, kind="domain", value="x.example", actor=OPERATOR, now=now)
    add_claim(organization_id=other, kind="domain", value="x.example", actor=OPERATOR, now=now)

    def found(care):
        narrowed = care_of(care, cares_at(now), viewer=OPERATOR, at=now)
        rows = directory.search(viewer=OPERATOR, at=now, narrowed=narrowed).rows
        return {row.facts.id for row in rows}

    assert found("contact") == {power}
    assert found("confirmed") == {other}
    assert found("key") == {power, other}
    assert found("key_ending") == set()
    assert found("conflict") == {power, other}
    with pytest.raises(ValueError, match="nonsense"):
        found("nonsense")
    for care in ("silent", "contact", "confirmed", "key", "key_ending", "conflict", "retired"):
        assert liaison.get(f"/desk/constituents/?care={care}").status_code == 200
    assert liaison.get("/desk/constituents/?care=nonsense").status_code == 400


def test_silence_is_a_notice_without_an_answer_while_something_is_open(world):
    now = world.moment + timedelta(days=1)
    found = standings(at=now)[world.organization]
    assert (found.notices, found.unanswered, found.last_answer_at) == (1, 1, None)
    assert found.open_findings >= 1
    assert silent_owners(at=now, days=14) == []
    later = now + timedelta(days=15)
    assert found.is_silent(later, 14)
    assert world.organization in {each.organization_id for each in silent_owners(at=later, days=14)}
    assert not OwnerStanding(1, unanswered_since=now).is_silent(later, 14)


def test_the_liaisons_page_and_the_way_to_an_owner(world, liaison):
    shown = liaison.get("/desk/liaison/").content.decode()
    assert "/confirm/" in shown
    found = liaison.get("/desk/liaison/owner/?kind=address&value=203.0.113.0/25").content.decode()
    assert page(world.organization) in found
    assert liaison.get("/desk/liaison/owner/?kind=address&value=nonsense").status_code == 400
    assert liaison.get("/desk/liaison/owner/?kind=asn&value=64500").status_code == 200
    assert liaison.get("/desk/liaison/owner/?kind=domain&value=power.example").status_code == 200
    give = {"kind": "address", "value": "192.0.2.0/24", "note": "asked the registry"}
    assert liaison.post("/desk/liaison/owner/give/", give).status_code == 400
    sent = {**give, "organization": world.organization}
    assert liaison.post("/desk/liaison/owner/give/", sent)["Location"] == page(world.organization)
    again = liaison.post("/desk/liaison/owner/give/", sent)
    assert "already claims" in again.content.decode()


def test_lists_ask_as_many_questions_for_many_as_for_few(liaison, folders, settings):
    settings.DEMONSTRATION = True
    one = make_world(rows=1)

    def questions(path):
        liaison.get(path)
        with CaptureQueriesContext(connection) as asked:
            liaison.get(path)
        return len(asked)

    paths = ("/desk/constituents/", page(one.organization), "/desk/liaison/")
    few = {path: questions(path) for path in paths}
    make_world(rows=3)
    for number in range(3):
        other = made(f"Another {number}")
        liaison.post(
            f"{page(other)}contacts/add/", {"address": f"a{number}@o.example", "role": "abuse"}
        )
    assert {path: questions(path) for path in paths} == few


def test_who_may_not_edit_may_read(entered, power):
    analyst = entered("analyst")
    assert analyst.get(page(power)).status_code == 200
    assert analyst.get(f"{page(power)}edit/").status_code == 403
    assert analyst.post(f"{page(power)}claims/", {}).status_code == 403
    assert analyst.get("/desk/liaison/").status_code == 200
