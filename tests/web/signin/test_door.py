"""Password, second factor, recovery codes: who gets in, and what is noted."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from muhafiz.accounts.actions.people import suspend_person
from muhafiz.accounts.queries import open_sessions, person
from muhafiz.audit.queries import entries
from tests.web.given import OPERATOR
from tests.web.signin.conftest import PASSWORD, code_of, set_app_up, sign_in

pytestmark = pytest.mark.django_db


def told(found) -> list[str]:
    return [entry.action for entry in entries(subject=f"person:{found.id}", limit=50)][::-1]


def test_who_has_only_a_password_gets_the_set_up_page_and_nothing_else(joined, client):
    found = joined()
    answer = sign_in(client)
    assert answer["Location"] == "/begin/"
    for path in ("/desk/", "/desk/events/", "/begin/", "/", "/welcome/", "/desk/me/"):
        assert client.get(path)["Location"] == "/sign-in/set-up/", path
    part = client.get("/desk/live/", headers={"HX-Request": "true"})
    assert (part.status_code, part["HX-Redirect"]) == (204, "/sign-in/set-up/")
    passed_off = client.get("/desk/me/", SCRIPT_NAME="/static")  # a header some servers heed
    assert passed_off["Location"].endswith("/sign-in/set-up/")
    assert "authenticator app" in client.get("/sign-in/set-up/").content.decode()
    assert told(found)[-1] == "accounts.sign_in"


def test_password_and_code_open_the_desk(joined, letters):
    found, client = joined(), Client()
    sign_in(client)
    before = client.cookies["sessionid"].value
    secret = set_app_up(client)
    assert person(found.id).second_factor
    codes = client.get("/sign-in/codes/").content.decode()
    assert len(re.findall(r">\d{10}<", codes)) == 10
    assert not re.findall(r">\d{10}<", client.get("/sign-in/codes/").content.decode())
    assert client.get("/begin/")["Location"].startswith("/desk/")
    other = Client()
    assert sign_in(other)["Location"] == "/sign-in/code/"
    assert other.get("/desk/").status_code == 302, "the first step alone opens nothing"
    wrong = other.post("/sign-in/code/", {"code": "000000"})
    assert "not right" in wrong.content.decode()
    later = code_of(secret, datetime.now(UTC).timestamp() + 30)
    planted = other.cookies["sessionid"].value
    assert other.post("/sign-in/code/", {"code": later})["Location"] == "/begin/"
    assert other.cookies["sessionid"].value not in {planted, before}
    assert other.get("/desk/").status_code == 200
    assert told(found)[-2:] == ["accounts.fail_sign_in", "accounts.sign_in"]
    assert open_sessions(found.id, now=datetime.now(UTC))[0].way == "password + totp"
    assert any("second factor was added" in text for text in letters())


def test_a_code_works_once(joined):
    joined()
    client, other = Client(), Client()
    sign_in(client)
    secret = set_app_up(client)
    sign_in(other)
    answer = other.post("/sign-in/code/", {"code": code_of(secret)})
    assert "used already" in answer.content.decode()


def test_a_recovery_code_opens_once_and_is_told(joined, letters):
    found = joined()
    client = Client()
    sign_in(client)
    set_app_up(client)
    code = re.findall(r">(\d{10})<", client.get("/sign-in/codes/").content.decode())[0]
    other, third = Client(), Client()
    sign_in(other)
    assert other.post("/sign-in/code/", {"code": code}).status_code == 302
    assert other.get("/desk/").status_code == 200
    assert "accounts.use_recovery_code" in told(found)
    sign_in(third)
    assert third.post("/sign-in/code/", {"code": code}).status_code == 200
    assert any("recovery codes was used" in text for text in letters())


def test_secrets_rest_sealed(joined):
    from allauth.mfa.models import Authenticator
    from django.contrib.sessions.models import Session

    joined()
    client = Client()
    sign_in(client)
    page = client.get("/sign-in/app/").content.decode()
    secret = re.search(r'class="secret"><bdi[^>]*>([A-Z2-7 =]+)<', page).group(1).replace(" ", "")
    kept = [str(Session.objects.get(pk=client.cookies["sessionid"].value).get_decoded())]
    picture = client.get("/sign-in/app/picture/")
    assert picture["Content-Type"] == "image/svg+xml"
    client.post("/sign-in/app/", {"code": code_of(secret)})
    kept += [str(row.data) for row in Authenticator.objects.all()]
    assert len(kept) == 3
    assert all(secret not in each for each in kept)
    assert client.get("/sign-in/app/picture/").status_code == 404, "only while it is set up"


def test_the_same_answer_and_the_same_work_for_unknown_addresses(joined, hashed, monkeypatch):
    joined()
    moment = datetime.now(UTC)
    monkeypatch.setattr("muhafiz.common.clock.SystemClock.now", lambda self: moment)
    hashed.clear()
    known, unknown = Client(), Client()
    first = sign_in(known, password="wrong wrong wrong")
    work = list(hashed)
    hashed.clear()
    second = sign_in(unknown, email="nobody@cert.example", password="wrong wrong wrong")
    assert first.status_code == second.status_code == 200
    shown = [re.sub(r'value="[^"]*"', "", a.content.decode()) for a in (first, second)]
    assert shown[0] == shown[1]
    assert len(work) == len(hashed) == 1


def test_no_hash_is_computed_once_locked_out(joined, hashed):
    found, client = joined(), Client()
    for _ in range(5):
        sign_in(client, password="wrong wrong wrong")
    assert told(found)[-1] == "accounts.lock_out"
    hashed.clear()
    answer = sign_in(Client())
    assert "Too many tries" in answer.content.decode()
    assert hashed == []
    assert sign_in(Client(), email="other@cert.example").status_code == 200
    assert len(hashed) == 1, "another account is not locked"


def test_one_address_is_slowed_down_whatever_the_accounts(joined, hashed):
    joined()
    for at in range(30):
        sign_in(Client(), email=f"guess{at}@cert.example")
    hashed.clear()
    assert "Too many tries" in sign_in(Client()).content.decode()
    assert hashed == []
    elsewhere = Client(REMOTE_ADDR="198.51.100.7")
    assert sign_in(elsewhere).status_code == 302


def test_a_clock_set_back_unlocks_nothing(joined, hashed, monkeypatch):
    from muhafiz.web.signin import sessions

    joined()
    for _ in range(5):
        sign_in(Client(), password="wrong wrong wrong")
    early = datetime(2020, 1, 1, tzinfo=UTC)
    monkeypatch.setattr("muhafiz.common.clock.SystemClock.now", lambda self: early)
    assert sessions  # the middleware's clock and the fall-back are one class
    hashed.clear()
    assert "Too many tries" in sign_in(Client()).content.decode()
    assert hashed == []


def test_suspended_people_are_out_at_once_and_stay_out(joined):
    found, client = joined(), Client()
    sign_in(client)
    set_app_up(client)
    assert client.get("/desk/").status_code == 200
    suspend_person(person_id=found.id, actor=OPERATOR, now=datetime.now(UTC))
    assert client.get("/desk/")["Location"] == "/"
    assert open_sessions(found.id, now=datetime.now(UTC)) == []
    answer = sign_in(Client())
    assert "do not go together" in answer.content.decode(), "no word about the suspension"


def test_argon2_hashes(joined):
    found = joined()
    assert get_user_model().objects.get(pk=found.id).password.startswith("argon2$argon2id$")


def test_signing_out_ends_the_session_on_the_server(joined):
    found, client = joined(), Client()
    sign_in(client)
    client.post("/leave/")
    assert open_sessions(found.id, now=datetime.now(UTC)) == []
    assert told(found)[-1] == "accounts.end_sessions"


def test_nothing_of_a_password_reaches_the_log(joined, caplog):
    found = joined()
    sign_in(Client())
    sign_in(Client(), email=PASSWORD, password="x")
    written = [str(e) for e in entries(limit=100)]
    assert found
    assert all(PASSWORD not in each for each in written)
    assert PASSWORD not in caplog.text
