"""The portal: a constituent's people see their own, answer it, and nothing else exists for them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from muhafiz.common.actor import Actor
from muhafiz.constituency.directory import search
from muhafiz.detection import queries
from muhafiz.detection.actions.exposure import gather_findings
from muhafiz.detection.own_notices import own_notices
from tests.web.given import HOSTILE, OPERATOR, World, make_world
from tests.web.test_screens import inline_code

pytestmark = pytest.mark.django_db


def of(owner: int) -> Actor:
    return Actor("person", "9", "Owner", frozenset({"constituent_officer"}), owner)


@dataclass(frozen=True)
class Portal:
    """Two constituents (the second stands below the first) and what belongs to them."""

    power: int
    water: int
    moment: datetime

    def number(self, owner: int) -> str:
        return queries.findings(viewer=of(owner), organization_id=owner)[0].number

    def screens(self, owner: int) -> dict[str, str]:
        notice = own_notices(viewer=of(owner), organization_ids={owner})[0]
        return {
            "portal": "/portal/",
            "findings": "/portal/findings/?state=all",
            "finding": f"/portal/findings/{self.number(owner)}/",
            "history": "/portal/history/",
            "notices": "/portal/notices/",
            "notice": f"/portal/notices/{notice.public_id}/",
            "networks": "/portal/networks/",
            "contacts": "/portal/contacts/",
            "contact-new": "/portal/contacts/new/",
            "people": "/portal/people/",
        }


def portal_of(world: World) -> Portal:
    gather_findings(actor=Actor.job("gather"), now=datetime.now(UTC))
    found = {
        row.facts.name_ur: row.facts.id for row in search(viewer=OPERATOR, at=world.moment).rows
    }
    return Portal(found["سندھ پاور"], found["کوئٹہ واٹر"], world.moment)


@pytest.fixture
def portal(world: World) -> Portal:
    return portal_of(world)


@pytest.fixture
def power(portal: Portal, constituent_client: Callable[..., Client]) -> Client:
    return constituent_client(portal.power, "constituent_admin")


@pytest.fixture
def water(portal: Portal, constituent_client: Callable[..., Client]) -> Client:
    return constituent_client(portal.water)


def bare(answer: Any) -> str:
    """A page without its forms' secrets, its moment and its own address: they differ each time."""
    page = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.content.decode())
    page = re.sub(r' data-now="[^"]*"', "", page)
    return re.sub(r'name="next" value="[^"]*"', "", page)


def finding(portal: Portal, owner: int) -> Any:
    return queries.finding_by_number(portal.number(owner), viewer=of(owner))


@pytest.mark.parametrize("language", ["en", "ur"])
def test_every_page_answers_and_shows_hostile_text_as_text(portal, power, language):
    power.cookies["django_language"] = language
    for name, path in portal.screens(portal.power).items():
        answer = power.get(path)
        page = answer.content.decode()
        assert answer.status_code == 200, (name, page[-400:])
        assert f'lang="{language}"' in page
        assert "<script>alert" not in page, name
        assert inline_code(page) == [], name
    assert HOSTILE not in page


def test_only_a_constituents_people_come_in(portal, all_roles, client, water):
    for path in portal.screens(portal.power).values():
        assert all_roles.get(path).status_code == 403
        assert client.get(path)["Location"] == "/"
    assert water.get("/portal/people/").status_code == 403
    assert water.get("/desk/").status_code == 403


def test_what_is_wrong_stands_on_the_first_page(portal, power):
    page = power.get("/portal/").content.decode()
    assert "serious problem" in page
    assert "Telnet is open to the internet" in page
    assert portal.number(portal.power) in page


def test_a_part_of_the_organization_can_be_chosen(portal, power, water):
    every = power.get("/portal/findings/?state=all").content.decode()
    assert portal.number(portal.water) in every
    one = power.get(f"/portal/findings/?state=all&part={portal.water}").content.decode()
    assert portal.number(portal.power) not in one
    assert portal.number(portal.water) in one
    strange = water.get(f"/portal/findings/?state=all&part={portal.power}")
    assert strange.status_code == 400
    assert portal.number(portal.power) not in strange.content.decode()


def test_anothers_things_do_not_exist(portal, water):
    """The same answer as for what nobody has."""
    theirs, nobodys = portal.number(portal.power), "F-0000000"
    notice = own_notices(viewer=of(portal.power), organization_ids={portal.power})[0]
    mine = own_notices(viewer=of(portal.water))[0]
    letter, foreign = mine.letters[0].message_id, notice.letters[0].message_id
    absent = water.get(f"/portal/findings/{nobodys}/")
    assert absent.status_code == 404
    for path in (
        f"/portal/findings/{theirs}/",
        f"/portal/findings/{theirs}/assets.csv",
        f"/portal/findings/{theirs}/days.svg",
        f"/portal/notices/{notice.public_id}/",
        f"/portal/notices/{notice.public_id}/letters/{foreign}/",
        f"/portal/notices/{mine.public_id}/letters/{foreign}/",
        f"/portal/notices/{notice.public_id}/letters/{letter}/",
        f"/portal/notices/{mine.public_id}/letters/{letter}/99/",
        "/portal/networks/?end=1",
    ):
        answer = water.get(path)
        assert answer.status_code == 404, path
        assert bare(answer) == bare(absent), path
    for path in (
        f"/portal/findings/{theirs}/answer/",
        "/portal/networks/request/1/withdraw/",
        "/portal/contacts/1/confirm/",
        "/portal/contacts/1/change/",
        "/portal/contacts/1/end/",
    ):
        assert water.post(path, {"response": "fixed"}).status_code == 404, path
    many = water.post("/portal/findings/answer/", {"item": theirs, "response": "fixed"})
    assert many.status_code == 404
    assert finding(portal, portal.power).state == "open"


def test_simple_answers_are_taken_at_once(portal, water):
    number = portal.number(portal.water)
    answer = water.post(f"/portal/findings/{number}/answer/", {"response": "acknowledge"})
    assert answer["Location"] == f"/portal/findings/{number}/"
    assert finding(portal, portal.water).state == "acknowledged"
    water.post(f"/portal/findings/{number}/answer/", {"response": "fixed"})
    found = finding(portal, portal.water)
    assert found.state == "fixed"
    page = water.get(f"/portal/findings/{number}/").content.decode()
    assert "You said that it is fixed" in page


def test_an_exception_is_checked_first_and_keeps_what_was_typed(portal, water):
    number = portal.number(portal.water)
    place = f"/portal/findings/{number}/answer/"
    until = (datetime.now(UTC) + timedelta(days=9)).date().isoformat()
    wrong = water.post(place, {"response": "except", "until": "2020-01-01", "reason": "R&D box"})
    assert wrong.status_code == 409
    assert "R&amp;D box" in wrong.content.decode()
    assert "must lie ahead" in wrong.content.decode()
    typed = {"response": "except", "until": until, "reason": "R&D box"}
    check = water.post(place, typed)
    assert check.status_code == 200
    assert finding(portal, portal.water).state == "open"
    page = check.content.decode()
    assert "Check your answer" in page
    assert "R&amp;D box" in page
    done = water.post(place, typed | {"checked": "yes"})
    assert done.status_code == 302
    found = finding(portal, portal.water)
    assert (found.state, found.until.isoformat()) == ("excepted", until)


def test_not_ours_goes_to_the_desk_and_comes_back(portal, water, all_roles, letters):
    number, place = portal.number(portal.water), "/portal/findings/{}/answer/"
    typed = {"response": "not_ours", "reason": "sold in May", "checked": "yes"}
    assert water.post(place.format(number), typed | {"reason": ""}).status_code == 409
    water.post(place.format(number), typed)
    found = finding(portal, portal.water)
    assert (found.state, found.review) == ("not_ours", "waiting")
    listed = all_roles.get("/desk/requests/").content.decode()
    assert found.number in listed
    page = all_roles.get(f"/desk/requests/findings/{found.id}/")
    assert "sold in May" in page.content.decode()
    judged = f"/desk/requests/findings/{found.id}/judge/"
    assert all_roles.post(judged, {"decision": "reject", "reason": ""}).status_code == 409
    all_roles.post(judged, {"decision": "reject", "reason": "the registry names you"})
    told = water.get(f"/portal/findings/{number}/").content.decode()
    assert "the registry names you" in told
    assert finding(portal, portal.water).state == "open"
    (letter,) = [each for each in letters() if "the registry names you" in each]
    assert f"/portal/findings/{number}/" in letter


def test_several_findings_are_answered_at_once(portal, power):
    numbers = [each.number for each in queries.findings(viewer=of(portal.power))]
    assert len(numbers) == 2
    answer = power.post(
        "/portal/findings/answer/",
        {"item": numbers, "response": "acknowledge", "query": "state=open"},
    )
    assert answer["Location"] == "/portal/findings/?state=open"
    assert {e.state for e in queries.findings(viewer=of(portal.power))} == {"acknowledged"}
    every = {"scope": "all", "query": "state=mine", "response": "fixed"}
    power.post("/portal/findings/answer/", every)
    assert {e.state for e in queries.findings(viewer=of(portal.power))} == {"fixed"}


def test_files_hold_ones_own_live_and_run_nothing(portal, power, water):
    answer = water.get("/portal/findings.csv?state=all")
    text = answer.content.decode("utf-8-sig")
    assert answer["Content-Disposition"].startswith("attachment")
    assert portal.number(portal.water) in text
    assert portal.number(portal.power) not in text
    number = portal.number(portal.power)
    assets = power.get(f"/portal/findings/{number}/assets.json").json()
    found = {each["address"] for each in assets}
    assert "203.0.113.1" in found
    assert not any(each.startswith("198.51.100.") for each in found), "those are another's"
    assert power.get(f"/portal/findings/{number}/assets.exe").status_code == 404
    assert power.get("/portal/history/exposure.csv").status_code == 200
    assert power.get("/portal/history/exposure.xml").status_code == 404
    days = f"/portal/findings/{portal.number(portal.power)}/days"
    assert power.get(f"{days}.csv").content.decode("utf-8-sig").startswith("day,")
    assert b"<svg" in power.get(f"{days}.svg").content
    assert power.get("/portal/history/exposure.svg")["Content-Type"].startswith("image/svg+xml")


def test_a_network_is_asked_for_decided_and_told(portal, water, all_roles, letters):
    typed = {"wanted": "add", "kind": "address", "value": "203.0.113.0/25", "note": "<b>new"}
    bad = water.post("/portal/networks/request/", typed | {"value": "203.0.113.1/25"})
    assert bad.status_code == 409
    assert "&lt;b&gt;new" in bad.content.decode()
    answer = water.post("/portal/networks/request/", typed)
    assert answer["Location"] == "/portal/networks/"
    mine = water.get("/portal/networks/").content.decode()
    assert "Under review" in mine
    assert "Indus" not in mine, "whose it is stays unsaid"
    from muhafiz.constituency.holdings import open_requests

    (request,) = open_requests(viewer=OPERATOR)
    page = all_roles.get(f"/desk/requests/{request.id}/").content.decode()
    assert "203.0.113.0/24" in page
    assert "Indus" in page
    decide = f"/desk/requests/{request.id}/decide/"
    assert all_roles.post(decide, {"decision": "refuse", "reason": " "}).status_code == 409
    all_roles.post(decide, {"decision": "refuse", "reason": "it is somebody's"})
    assert "it is somebody&#x27;s" in water.get("/portal/networks/").content.decode()
    (letter,) = [each for each in letters() if "203.0.113.0/25" in each]
    assert "The CERT did not agree." in letter
    assert "It says: it is somebody's" in letter
    assert "/portal/networks/" in letter


def test_who_has_left_gets_no_letter(portal, water, all_roles, letters):
    from muhafiz.accounts.actions.people import suspend_person
    from muhafiz.accounts.queries import people
    from muhafiz.constituency.holdings import open_requests

    water.post(
        "/portal/networks/request/",
        {"wanted": "add", "kind": "domain", "value": "left.example", "note": ""},
    )
    (asker,) = people(organization_id=portal.water)
    suspend_person(person_id=asker.id, actor=OPERATOR, now=datetime.now(UTC))
    (request,) = open_requests(viewer=OPERATOR)
    answer = all_roles.post(f"/desk/requests/{request.id}/decide/", {"decision": "approve"})
    assert answer.status_code == 302
    assert not [each for each in letters() if "left.example" in each]


def test_contacts_are_added_changed_confirmed_and_ended(portal, water):
    from muhafiz.constituency.holdings import own_contacts

    typed = {
        "address": "soc@water.example", "role": "24/7", "name": "SOC", "hours": "Mon-Fri 9-5",
        "language": "ur", "certificate": "", "organization": str(portal.water),
    }  # fmt: skip
    bad = water.post("/portal/contacts/add/", typed)
    assert bad.status_code == 409
    assert "soc@water.example" in bad.content.decode()
    water.post("/portal/contacts/add/", typed | {"hours": "Mon-Fri 09:00-17:00"})
    found = {each.address: each for each in own_contacts(viewer=of(portal.water))}
    added, imported = found["soc@water.example"], found["abuse@water.example"]
    assert added.confirmed_at is not None
    assert imported.confirmed_at is None
    water.post(f"/portal/contacts/{imported.id}/confirm/")
    assert own_contacts(viewer=of(portal.water))[0].confirmed_at is not None
    key = water.post(
        f"/portal/contacts/{added.id}/change/", typed | {"hours": "", "certificate": "rubbish"}
    )
    assert key.status_code == 409
    assert "rubbish" in key.content.decode()
    water.post(f"/portal/contacts/{added.id}/change/", typed | {"hours": "", "name": "Night"})
    assert water.post(f"/portal/contacts/{added.id}/end/", {"reason": ""}).status_code == 409
    water.post(f"/portal/contacts/{added.id}/end/", {"reason": "left"})
    assert [e.address for e in own_contacts(viewer=of(portal.water))] == ["abuse@water.example"]


def test_a_key_is_taken_from_a_file_and_its_fingerprint_shown(portal, water):
    from django.core.files.uploadedfile import SimpleUploadedFile
    from pysequoia import Tsk

    from muhafiz.constituency.holdings import own_contacts

    armored = str(Tsk.generate("Water <abuse@water.example>").extract_certificate())
    (contact,) = own_contacts(viewer=of(portal.water))
    typed = {"address": contact.address, "role": "abuse", "name": "", "hours": "", "language": ""}
    upload = SimpleUploadedFile("key.asc", armored.encode())
    answer = water.post(f"/portal/contacts/{contact.id}/change/", {**typed, "key_file": upload})
    assert answer.status_code == 302
    page = water.get("/portal/contacts/").content.decode()
    print_ = own_contacts(viewer=of(portal.water))[0].fingerprint.upper()
    assert f"{print_[:4]} {print_[4:8]}" in page


def test_the_administrator_invites_and_suspends_their_own_people(portal, power, water):
    assert water.get("/portal/people/").status_code == 403
    typed = {"email": "new@power.example", "name": "New", "role": "director", "language": "ur"}
    answer = power.post("/portal/people/invite/", typed)
    assert answer.status_code == 302, answer.content.decode()[-500:]
    page = power.get("/portal/people/").content.decode()
    assert "new@power.example" in page
    from muhafiz.accounts.queries import invitations, people

    (invited,) = invitations(organization_id=portal.power)
    assert invited.role == "constituent_officer", "no more than a constituent's role"
    power.post(f"/portal/people/invitations/{invited.id}/withdraw/")
    assert not invitations(organization_id=portal.power)[0].is_open(datetime.now(UTC))
    (theirs,) = people(organization_id=portal.water)
    assert power.post(f"/portal/people/{theirs.id}/suspend/").status_code == 404


def test_reading_is_written_to_the_log(portal, water):
    from muhafiz.audit.queries import entries

    notice = own_notices(viewer=of(portal.water))[0]
    letter = notice.letters[0].message_id
    water.get(f"/portal/findings/{portal.number(portal.water)}/")
    water.get(f"/portal/notices/{notice.public_id}/letters/{letter}/")
    actions = [entry.action for entry in entries(limit=5)]
    assert "detection.read_finding" in actions
    assert "notifications.read_letter" in actions


def test_lists_ask_as_many_questions_for_three_rows_as_for_one(
    constituent_client, folders, settings
):
    settings.DEMONSTRATION = True
    first = portal_of(make_world(rows=1))
    browser = constituent_client(first.power, "constituent_admin")
    counts = {}
    for name, path in first.screens(first.power).items():
        browser.get(path)
        with CaptureQueriesContext(connection) as asked:
            browser.get(path)
        counts[name] = len(asked)
    third = portal_of(make_world(rows=3))
    for name, path in third.screens(third.power).items():
        with CaptureQueriesContext(connection) as asked:
            browser.get(path)
        assert len(asked) == counts[name], name


def test_one_machine_is_answered_from_the_table(portal, power):
    number = portal.number(portal.power)
    page = power.get(f"/portal/findings/{number}/?asset=203.0.113.1:23").content.decode()
    assert 'value="203.0.113.1:23"' in page
    place = f"/portal/findings/{number}/answer/"
    power.post(place, {"response": "fixed", "asset": "203.0.113.1:23"})
    assert finding(portal, portal.power).state == "open", "the others have no answer yet"
    told = power.get(f"/portal/findings/{number}/").content.decode()
    assert "203.0.113.1:23" in told
    assert "You said that it is fixed, about" in told
