"""People and roles on the desk; invitations; one's own page; grave acts."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from muhafiz.accounts.actions.people import suspend_person
from muhafiz.accounts.models import Session
from muhafiz.accounts.queries import (
    invitations,
    open_sessions,
    person,
    person_by_email,
    preferences,
)
from muhafiz.audit.queries import entries
from tests.web.conftest import browser_of
from tests.web.given import OPERATOR
from tests.web.signin.conftest import PASSWORD, code_of, link_in, set_app_up, sign_in

pytestmark = pytest.mark.django_db


def made_stale(found) -> None:
    Session.objects.filter(person_id=found.id).update(
        confirmed_at=datetime.now(UTC) - timedelta(minutes=11)
    )


@pytest.fixture
def boss(joined):
    found = joined("administrator", email="maria@cert.example")
    return found, browser_of(found)


def test_an_invitation_lets_one_person_join_once(boss, letters):
    _, client = boss
    given = {
        "email": "Bilal@cert.example",
        "name": "Bilal",
        "role": "analyst",
        "language": "ur",
    }
    assert client.post("/desk/people/invite/", given).status_code == 302
    [text] = letters()
    path = link_in(text)
    assert "دعوت" in text, "in the language of who is invited"
    guest = Client()
    assert "Bilal" in guest.get(path).content.decode()
    assert guest.post(path)["Location"] == "/sign-in/set-up/"
    joined = person_by_email("bilal@cert.example")
    assert joined.roles == {"analyst"}
    assert guest.get("/desk/")["Location"] == "/sign-in/set-up/"
    assert Client().post(path).status_code == 409
    assert Client().get(path).status_code == 404
    assert "accounts.accept_invitation" in [e.action for e in entries(limit=4)]
    chosen = {"password1": PASSWORD, "password2": PASSWORD}
    assert guest.post("/sign-in/password/", chosen).status_code == 302
    set_app_up(guest)
    assert guest.get("/desk/").status_code == 200


def test_the_desk_reads_no_letter_that_lets_somebody_in(boss, letters, joined, settings):
    _, client = boss
    client.post("/desk/people/invite/", {"email": "x@cert.example", "name": "X", "role": "analyst"})
    from muhafiz.notifications import queries

    reader = browser_of(joined("duty_officer", email="ayesha@cert.example"))
    letter = queries.letters(limit=1)[0]
    assert letter.private
    assert queries.letter_bytes(letter.id) is None
    page = reader.get(f"/desk/letters/{letter.id}/").content.decode()
    assert "/sign-in/invitation/" not in page
    assert "eyes only" in page
    assert reader.get(f"/desk/letters/{letter.id}/raw/").status_code == 404
    from muhafiz.notifications.models import MessageBytes

    token = letters()[0]
    assert not MessageBytes.objects.filter(message_id=letter.id).exists(), "gone once it is sent"
    assert link_in(token)


def test_an_invitation_of_somebody_who_may_no_longer_invite_is_worth_nothing(boss, letters):
    found, client = boss
    client.post("/desk/people/invite/", {"email": "x@cert.example", "name": "X", "role": "analyst"})
    path = link_in(letters()[0])
    suspend_person(person_id=found.id, actor=OPERATOR, now=datetime.now(UTC))
    assert Client().post(path).status_code == 409
    assert person_by_email("x@cert.example") is None


def test_wrong_invitations_keep_what_was_typed(boss):
    _, client = boss
    for changes, words in (
        ({"email": "no address"}, "is no mail address"),
        ({"email": "maria@cert.example"}, "cannot be used"),
        ({"role": "constituent_admin"}, "roles of a constituent"),
        ({"organization": "77"}, "no such constituent"),
        ({"organization": "x"}, "whole number"),
    ):
        given = {"email": "a@cert.example", "name": "Kept", "role": "analyst"} | changes
        answer = client.post("/desk/people/invite/", given)
        assert answer.status_code == 400, changes
        assert words in answer.content.decode(), changes
        assert 'value="Kept"' in answer.content.decode()
    assert invitations() == []


def test_withdrawn_and_old_invitations_are_closed(boss, letters):
    _, client = boss
    client.post("/desk/people/invite/", {"email": "x@cert.example", "name": "X", "role": "analyst"})
    [path] = [link_in(text) for text in letters()]
    client.post(f"/desk/people/invitations/{invitations()[0].id}/withdraw/")
    assert Client().post(path).status_code == 409
    from muhafiz.accounts.models import Invitation

    client.post("/desk/people/invite/", {"email": "y@cert.example", "name": "Y", "role": "analyst"})
    Invitation.objects.update(expires_at=datetime.now(UTC))
    assert Client().post(link_in(letters()[-1])).status_code == 409


def test_roles_are_given_and_taken_and_nobody_changes_their_own(boss, joined):
    found, client = boss
    other = joined("analyst")
    page = f"/desk/people/{other.id}/"
    assert client.get(page).status_code == 200
    client.post(f"{page}grant/", {"role": "duty_officer"})
    assert person(other.id).roles == {"analyst", "duty_officer"}
    refused = client.post(f"{page}grant/", {"role": "auditor"})
    assert refused.status_code == 400
    assert "only role" in refused.content.decode()
    client.post(f"{page}revoke/", {"role": "analyst"})
    assert person(other.id).roles == {"duty_officer"}
    own = client.post(f"/desk/people/{found.id}/grant/", {"role": "duty_officer"})
    assert own.status_code == 400
    assert person(found.id).roles == {"administrator"}


def test_taking_ways_in_away_needs_a_reason_and_leaves_nothing(boss, joined, letters):
    from allauth.mfa.models import Authenticator

    _, client = boss
    other = joined("analyst")
    theirs = Client()
    sign_in(theirs)
    set_app_up(theirs)
    page = f"/desk/people/{other.id}/"
    assert client.post(f"{page}reset/", {"reason": " "}).status_code == 400
    assert theirs.get("/desk/").status_code == 200
    client.post(f"{page}reset/", {"reason": "lost telephone"})
    assert theirs.get("/desk/")["Location"] == "/"
    assert not Authenticator.objects.filter(user_id=other.id).exists()
    assert not person(other.id).has_password
    assert not person(other.id).second_factor
    assert "do not go together" in sign_in(Client()).content.decode()
    assert any(e.action == "accounts.reset_access" for e in entries(limit=9))
    assert any("took away your password" in text for text in letters())


def test_suspended_from_the_page_and_let_in_again(boss, joined):
    _, client = boss
    other = joined("analyst")
    page = f"/desk/people/{other.id}/"
    client.post(f"{page}suspend/")
    assert not person(other.id).active
    assert "Suspended" in client.get("/desk/people/?state=suspended").content.decode()
    client.post(f"{page}readmit/")
    assert person(other.id).active


def test_a_grave_act_asks_again_and_keeps_what_was_typed(boss, joined):
    found, _ = boss
    other = joined("analyst")
    client = Client()
    sign_in(client, "maria@cert.example")
    get_user_model().objects.filter(pk=found.id).update(second_factor=True)
    made_stale(found)
    asked = client.post(f"/desk/people/{other.id}/grant/", {"role": "duty_officer", "note": "a<b"})
    assert asked["Location"].startswith("/sign-in/confirm/?next=")
    assert person(other.id).roles == {"analyst"}
    refused = client.post(asked["Location"], {"password": "wrong wrong wrong"})
    assert "not your password" in refused.content.decode()
    assert client.get("/sign-in/go-on/")["Location"].startswith("/sign-in/confirm/")
    confirmed = client.post(asked["Location"], {"password": PASSWORD})
    assert confirmed["Location"] == "/sign-in/go-on/"
    page = client.get("/sign-in/go-on/").content.decode()
    assert f'action="/desk/people/{other.id}/grant/"' in page
    fields = dict(re.findall(r'type="hidden" name="(role|note)" value="([^"]*)"', page))
    assert fields == {"role": "duty_officer", "note": "a&lt;b"}
    client.post(f"/desk/people/{other.id}/grant/", {"role": "duty_officer"})
    assert person(other.id).roles == {"analyst", "duty_officer"}
    assert client.get("/sign-in/go-on/")["Location"] == "/begin/", "held once"
    assert "accounts.confirm_session" in [e.action for e in entries(limit=9)]


def test_a_clock_set_back_makes_nobody_fresh(boss, joined):
    found, client = boss
    other = joined("analyst")
    Session.objects.filter(person_id=found.id).update(
        confirmed_at=datetime.now(UTC) + timedelta(days=3)
    )
    answer = client.post(f"/desk/people/{other.id}/suspend/")
    assert answer["Location"].startswith("/sign-in/confirm/")
    assert person(other.id).active


def test_in_the_demonstration_a_button_stands_for_the_password(boss, joined, settings):
    settings.DEMONSTRATION = True
    found = joined("administrator", email="demo@cert.example", password=None)
    other, client = joined("analyst"), browser_of(found)
    made_stale(found)
    asked = client.post(f"/desk/people/{other.id}/suspend/")
    assert asked["Location"].startswith("/sign-in/confirm/button/")
    assert client.get(asked["Location"]).status_code == 200
    answer = client.post("/sign-in/confirm/button/", {"next": "/sign-in/go-on/"})
    assert answer["Location"] == "/sign-in/go-on/"
    assert client.post(f"/desk/people/{other.id}/suspend/").status_code == 302
    assert not person(other.id).active
    settings.DEMONSTRATION = False
    assert client.post("/sign-in/confirm/button/").status_code == 404


def test_preferences_are_ones_own(joined):
    found = joined("analyst")
    client = browser_of(found)
    assert "Single keys" in client.get("/desk/me/").content.decode()
    given = {"name": "Sana B.", "language": "ur", "density": "compact"}
    answer = client.post("/sign-in/mine/save/", given)
    assert answer.status_code == 302
    assert preferences(found.id).density == "compact"
    page = client.get("/desk/me/").content.decode()
    assert 'dir="rtl"' in page
    assert 'data-density="compact" data-shortcuts="off"' in page
    client.post("/sign-in/mine/save/", given | {"density": "tiny"})
    assert preferences(found.id).density == "compact"


def test_a_browser_is_signed_out_from_another(joined):
    found = joined("analyst")
    here, there, stranger = browser_of(found), browser_of(found), joined(email="b@cert.example")
    elsewhere = next(
        s
        for s in open_sessions(found.id, now=datetime.now(UTC), key=here.session["visit"])
        if not s.here
    )
    other = browser_of(stranger)
    assert other.post(f"/sign-in/sessions/{elsewhere.id}/end/").status_code == 403
    here.post(f"/sign-in/sessions/{elsewhere.id}/end/")
    assert there.get("/desk/me/")["Location"] == "/"
    assert here.get("/desk/me/").status_code == 200
    browser_of(found)
    here.post("/sign-in/sessions/end/")
    assert len(open_sessions(found.id, now=datetime.now(UTC))) == 1


def test_a_new_password_signs_out_everywhere_else(joined, letters):
    found = joined("analyst")
    get_user_model().objects.filter(pk=found.id).update(second_factor=True)
    here, there = Client(), Client()
    sign_in(here)
    sign_in(there)
    for wrong, words in (
        ({"password1": "short"}, "Too short"),
        ({"password1": "password123456"}, "Too common"),
        ({"password1": "sana@cert.example"}, "Too easy"),
        ({"password2": "something else entirely"}, "not the same"),
        ({"password1": ""}, "Fill this in"),
    ):
        chosen = {"password1": "a quite new passphrase", "password2": "a quite new passphrase"}
        answer = here.post("/sign-in/password/", chosen | wrong)
        assert answer.status_code == 400
        assert words in answer.content.decode()
    assert here.post("/sign-in/password/", chosen).status_code == 302
    assert there.get("/desk/me/")["Location"] == "/"
    assert here.get("/desk/me/").status_code == 200
    assert sign_in(Client(), password=PASSWORD).status_code == 200
    assert sign_in(Client(), password="a quite new passphrase").status_code == 302
    assert any("password was changed" in text for text in letters())


def test_a_forgotten_password_is_chosen_anew_by_letter(joined, letters):
    found = joined("analyst")
    known = Client().post("/sign-in/forgotten/", {"email": "Sana@cert.example"})
    unknown = Client().post("/sign-in/forgotten/", {"email": "nobody@cert.example"})
    assert known["Location"] == unknown["Location"] == "/sign-in/forgotten/sent/"
    [text] = letters()
    path = link_in(text)
    client = Client()
    chosen = client.get(path)["Location"]
    assert path not in chosen, "the key leaves the address"
    new = {"password1": "a quite new passphrase", "password2": "a quite new passphrase"}
    assert client.post(chosen, new)["Location"] == "/sign-in/forgotten/chosen/"
    assert sign_in(Client(), password="a quite new passphrase").status_code == 302
    used = Client().get(path).content.decode()
    assert "used up or out of date" in used
    told = [e.action for e in entries(subject=f"person:{found.id}", limit=9)]
    assert "accounts.set_password" in told


def test_letters_for_new_passwords_are_few(joined, letters):
    joined("analyst")
    answers = [
        Client().post("/sign-in/forgotten/", {"email": "sana@cert.example"}).status_code
        for _ in range(7)
    ]
    assert answers.count(429) == 2
    assert len(letters()) == 1, "one waits on the queue at a time"


def test_another_address_is_proved_by_letter(joined, letters):
    found = joined("analyst")
    client = browser_of(found)
    client.post("/sign-in/address/", {"email": "sana.b@cert.example"})
    [text] = letters()
    path = link_in(text)
    assert person(found.id).email == "sana@cert.example"
    assert Client().get(path).status_code == 200
    assert Client().post(path)["Location"] == "/sign-in/"
    assert person(found.id).email == "sana.b@cert.example"
    assert client.get("/desk/me/")["Location"] == "/"
    assert Client().post(path).status_code == 409
    assert any("another address" in text for text in letters())


def test_people_are_listed_at_the_same_cost(boss, joined, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    _, client = boss
    client.get("/desk/people/")
    with CaptureQueriesContext(connection) as first:
        client.get("/desk/people/")
    for at in range(3):
        joined("analyst", email=f"p{at}@cert.example", password=None)
    with django_assert_num_queries(len(first)):
        client.get("/desk/people/")


def test_readers_see_people_and_change_nothing(boss, joined):
    other = joined("analyst")
    reader = browser_of(joined("auditor", email="yusuf@cert.example"))
    page = reader.get(f"/desk/people/{other.id}/").content.decode()
    assert "/suspend/" not in page
    assert "/grant/" not in page
    assert reader.post(f"/desk/people/{other.id}/suspend/").status_code == 403
    assert code_of("JBSWY3DPEHPK3PXP", 0.0)
