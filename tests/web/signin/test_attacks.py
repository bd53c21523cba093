"""What somebody tries who is not to get in, or not so far."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.sessions.models import Session as Browser
from django.test import Client
from django.urls import get_resolver, reverse

from muhafiz.accounts.actions.clock import trust_clock
from muhafiz.accounts.actions.entry import CannotEnter, issue_entry_link, redeem_entry_link
from muhafiz.accounts.actions.people import grant_role, register_person
from muhafiz.accounts.models import AddressChange, Invitation, Session
from muhafiz.accounts.queries import invitations, person, person_by_email
from muhafiz.accounts.rules import LONGEST_SESSION
from muhafiz.audit.queries import entries
from muhafiz.common.clock import SystemClock
from muhafiz.config.logs import without_tokens
from muhafiz.jobs.registry import JobRun, find_job
from muhafiz.web.doors import ROUTES as DOORS
from muhafiz.web.signin.inviting import take_ways_in_away
from muhafiz.web.signin.resets import ResetTokens, reset_token
from muhafiz.web.signin.sessions import client_address
from tests.web.conftest import browser_of
from tests.web.given import OPERATOR
from tests.web.signin.conftest import PASSWORD, link_in, sign_in

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
NEW = {"password1": "a quite new passphrase", "password2": "a quite new passphrase"}


@pytest.fixture
def at(monkeypatch):
    """Set the clock of the web's machine."""

    def move(moment: datetime) -> datetime:
        monkeypatch.setattr(SystemClock, "now", lambda self: moment)
        return moment

    return move


def _owners_admin(organization: int, email: str = "admin@power.example"):
    found = register_person(
        email=email, name="Their admin", organization_id=organization, actor=OPERATOR,
        now=datetime.now(UTC),
    )  # fmt: skip
    grant_role(person_id=found.id, role="constituent_admin", actor=OPERATOR, now=datetime.now(UTC))
    return browser_of(found)


# Logs


def test_no_link_that_lets_in_is_written_to_the_log():
    secret = {"token": "S3cr-eT", "key": "S3cr-eT", "uidb36": "1"}
    tried = set()
    for name in DOORS:
        arguments = get_resolver().reverse_dict[name][0][0][1]
        if {"token", "key"} & set(arguments):
            path = reverse(name, kwargs={each: secret[each] for each in arguments})
            assert "S3cr" not in without_tokens(f"Forbidden (CSRF cookie not set.): {path}"), name
            tried.add(name)
    assert tried == {
        "enter", "invitation", "address-confirm", "account_reset_password_from_key",
        "contact-answer",
    }  # fmt: skip


# Clocks


def test_a_clock_set_back_revives_no_invitation(joined, letters, at):
    start = datetime.now(UTC)
    boss = browser_of(joined("administrator", email="maria@cert.example"))
    boss.post("/desk/people/invite/", {"email": "x@cert.example", "name": "X", "role": "analyst"})
    path = link_in(letters()[0])
    at(start + timedelta(days=8))
    assert Client().post(path).status_code == 409, "it has expired"
    find_job("web.note_clock").function(JobRun("web.note_clock", SystemClock()))
    at(start + HOUR)
    answer = Client().post(path)
    assert answer.status_code == 409
    assert "set back" in answer.content.decode()
    assert person_by_email("x@cert.example") is None


def test_a_clock_set_back_revives_no_link_for_a_new_password(joined, letters, at):
    found, start = joined("analyst"), datetime.now(UTC)
    Client().post("/sign-in/forgotten/", {"email": found.email})
    path = link_in(letters()[0])
    at(start + timedelta(days=1))
    assert "used up or out of date" in Client().get(path).content.decode()
    sign_in(Client())  # somebody works on, so the day is known
    at(start + timedelta(minutes=5))
    assert Client().get(path).status_code == 409
    assert sign_in(Client(), password=NEW["password1"]).status_code == 200, "unchanged"


def test_a_clock_set_back_revives_no_change_of_address(joined, letters, at):
    found, start = joined("analyst"), datetime.now(UTC)
    browser_of(found).post("/sign-in/address/", {"email": "sana.b@cert.example"})
    path = link_in(letters()[0])
    at(start + timedelta(days=1))
    sign_in(Client())
    at(start + timedelta(minutes=5))
    assert Client().post(path).status_code == 409
    assert person(found.id).email == "sana@cert.example"


def test_a_token_of_the_future_is_worth_nothing(joined, at, now):
    found = joined("analyst")
    at(now + timedelta(days=10))
    _, token = reset_token(found.id)
    row = Session._meta.get_field("person").related_model.objects.get(pk=found.id)
    assert ResetTokens().check_token(row, token)
    at(now)
    trust_clock(actor=OPERATOR, now=now)  # the operator has set the clock right
    assert not ResetTokens().check_token(row, token)
    for nonsense in ("", None, "x", "1-2-3", "zzzzzzzzzzzzzzzz-1", "-1"):
        assert not ResetTokens().check_token(row, nonsense)


def test_an_operator_trusts_the_clock_again_and_every_open_link_ends(joined, letters):
    now = datetime.now(UTC)
    boss = browser_of(joined("administrator", email="maria@cert.example"))
    boss.post("/desk/people/invite/", {"email": "x@cert.example", "name": "X", "role": "analyst"})
    found = joined("analyst")
    token = issue_entry_link(email=found.email, valid_for=HOUR, actor=OPERATOR, now=now)
    browser_of(found).post("/sign-in/address/", {"email": "sana.b@cert.example"})
    assert trust_clock(actor=OPERATOR, now=now) == 3
    with pytest.raises(CannotEnter):
        redeem_entry_link(token=token, now=now)
    assert not Invitation.objects.filter(withdrawn_at=None).exists()
    assert not AddressChange.objects.filter(used_at=None).exists()
    assert entries(limit=1)[0].action == "accounts.trust_clock"


def test_what_a_clock_that_ran_ahead_left_binds_nobody(joined, at):
    """A session of the future would outlast every shift; a try of the future would bar an office."""
    now = datetime.now(UTC)
    at(now + timedelta(days=30))
    ahead = browser_of(joined("analyst"))
    assert ahead.get("/desk/me/").status_code == 200
    sign_in(Client(), password="wrong")
    at(now)
    trust_clock(actor=OPERATOR, now=now)
    assert ahead.get("/desk/me/").status_code == 302
    at(now + timedelta(days=30))
    assert ahead.get("/desk/me/").status_code == 302, "nor when its time comes"
    at(now)
    assert "Too many tries" not in sign_in(Client()).content.decode()


def test_a_session_ends_after_a_long_shift_whatever_it_does(joined, at):
    start = datetime.now(UTC)
    client = browser_of(joined("analyst"))
    for minutes in range(0, int(LONGEST_SESSION.total_seconds() // 60), 60):
        at(start + timedelta(minutes=minutes))
        assert client.get("/desk/me/").status_code == 200
        client.post("/sign-in/mine/save/", {"name": "S", "language": "en", "density": "compact"})
    at(start + LONGEST_SESSION + timedelta(minutes=1))
    assert client.get("/desk/me/")["Location"] == "/"


def test_what_browsers_of_ended_sessions_left_is_removed(client, joined):
    joined("analyst")
    sign_in(client)
    Browser.objects.update(expire_date=datetime.now(UTC) - HOUR)
    find_job("web.prune_tries").function(JobRun("web.prune_tries", SystemClock()))
    assert not Browser.objects.exists()


# Who learns of whom


def test_a_constituent_does_not_learn_who_is_registered_elsewhere(world, joined, letters):
    joined("analyst")
    client = _owners_admin(world.organization)
    answers = []
    for email in ("sana@cert.example", "nobody@cert.example"):
        given = {"email": email, "name": "N", "role": "constituent_officer", "language": "en"}
        client.post("/portal/people/invite/", given)
        page = client.get("/portal/people/").content.decode()
        told = page[page.index('id="invited"') :]
        answers.append((page.count("on its way"), told.count(email)))
    assert answers[0] == answers[1]
    assert min(answers[0]) > 0
    known, stranger = (text for text in letters() if "invites you" in text)
    assert "has an account here already" in known
    assert "/sign-in/invitation/" not in known
    assert "/sign-in/invitation/" in stranger
    own = {"email": "admin@power.example", "name": "N", "role": "constituent_officer"}
    assert client.post("/portal/people/invite/", own).status_code == 409, "their own they know"


def test_a_constituent_takes_no_invitation_of_another_house_away(world, joined):
    boss = browser_of(joined("administrator", email="maria@cert.example"))
    boss.post("/desk/people/invite/", {"email": "x@cert.example", "name": "X", "role": "analyst"})
    client = _owners_admin(world.organization)
    given = {"email": "x@cert.example", "name": "N", "role": "constituent_officer"}
    for _ in range(2):
        client.post("/portal/people/invite/", given)
    still = [each for each in invitations() if each.is_open(datetime.now(UTC))]
    assert sorted(str(each.organization_id) for each in still) == sorted(
        [str(world.organization), "None"]
    )


# What stays behind when somebody is shut out


def test_nothing_that_an_intruder_prepared_outlives_a_reset(joined, letters, now):
    from allauth.socialaccount.models import SocialAccount

    found = joined("analyst")
    intruder = browser_of(found)
    intruder.post("/sign-in/address/", {"email": "intruder@evil.example"})
    path = link_in(letters()[0])
    token = issue_entry_link(
        email=found.email, valid_for=timedelta(days=7), actor=OPERATOR, now=datetime.now(UTC)
    )
    SocialAccount.objects.create(user_id=found.id, provider="house", uid="u-intruder")
    take_ways_in_away(person_id=found.id, reason="stolen", actor=OPERATOR, now=datetime.now(UTC))
    assert intruder.get("/desk/me/")["Location"] == "/"
    assert Client().post(path).status_code == 409
    assert Client().post(f"/enter/{token}/").status_code == 409
    assert person(found.id).email == "sana@cert.example"
    assert not SocialAccount.objects.exists()


def test_a_new_password_ends_a_wish_for_another_address(joined, letters):
    found = joined("analyst")
    browser_of(found).post("/sign-in/address/", {"email": "intruder@evil.example"})
    path = link_in(letters()[0])
    browser_of(found).post("/sign-in/password/", NEW)
    assert Client().post(path).status_code == 409
    assert person(found.id).email == "sana@cert.example"


# Addresses to come back to


@pytest.mark.parametrize(
    ("wanted", "led"),
    [
        ("/desk/feeds/", "/desk/feeds/"),
        ("http://testserver/desk/feeds/", "http://testserver/desk/feeds/"),
        ("http://localhost/", "/begin/"),
        ("https://neighbor.cert.example/", "/begin/"),
        ("//evil.example/", "/begin/"),
        ("javascript:alert(1)", "/begin/"),
    ],
)
def test_sign_in_leads_to_this_very_host_alone(joined, settings, wanted, led):
    """Not to other names that we answer to: whoever listens there need not be us."""
    settings.ALLOWED_HOSTS = ["testserver", "localhost", ".cert.example"]
    joined()
    given = {"login": "sana@cert.example", "password": PASSWORD, "next": wanted}
    assert Client().post("/sign-in/", given)["Location"] == led


# Passkeys

DEEP = base64.b64encode(b"[" * 50_000).decode()


def _credential(origin: object = "http://testserver", **told: object) -> str:
    client_data = json.dumps({"type": "webauthn.get", "challenge": "x", "origin": origin})
    response = {
        "clientDataJSON": base64.urlsafe_b64encode(client_data.encode()).decode().rstrip("="),
        "authenticatorData": "AAAA", "signature": "AAAA", "userHandle": "MQ",
    }  # fmt: skip
    return json.dumps(
        {"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": response, **told}
    )


@pytest.mark.parametrize(
    "credential",
    [
        "", "null", "[]", "{}", "1", '"x"', "{", '{"response": null}', '{"response": []}',
        '{"response": {"clientDataJSON": 1}}', '{"response": {"clientDataJSON": "é"}}',
        '{"response": {"clientDataJSON": "AAAA"}}', '{"response": {"clientDataJSON": "W10"}}',
        _credential(), _credential(response={}), _credential(id=1), _credential(rawId=None),
        _credential("https://evil.testserver"), _credential(None), _credential({}),
        "[" * 50_000, DEEP, json.dumps({"response": {"clientDataJSON": DEEP}}),
    ],
)  # fmt: skip
def test_nonsense_for_a_passkey_is_a_no(joined, client, credential):
    joined()
    answer = client.post("/sign-in/passkey/", {"credential": credential})
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in/")
    assert "visit" not in client.session


@pytest.mark.parametrize("path", ["/sign-in/passkey/", "/sign-in/elsewhere/"])
def test_nobody_fills_the_database_with_ways_in_that_are_only_begun(joined, path):
    answers = [
        Client(headers={"accept": "application/json"}).get(path).status_code for _ in range(40)
    ]
    assert answers[30:] == [429] * 10
    assert Browser.objects.count() <= 30
    elsewhere = Client(REMOTE_ADDR="198.51.100.7", headers={"accept": "application/json"})
    assert elsewhere.get(path).status_code != 429


def test_failed_passkeys_are_counted_before_anything_is_computed(joined, client):
    joined()
    for _ in range(40):
        client.post("/sign-in/passkey/", {"credential": _credential()})
    failed = [e for e in entries(limit=100) if e.action == "accounts.fail_sign_in"]
    assert len(failed) == 30
    assert "Too many tries" in client.get("/sign-in/").content.decode()


@pytest.mark.parametrize(
    ("origin", "ours"),
    [
        ("http://testserver", True),
        ("https://evil.testserver", False),
        ("https://testserver", False),
        ("http://testserver:81", False),
        ("http://testserver.evil.example", False),
        ("null", False),
        ("", False),
    ],
)
def test_a_page_below_our_name_signs_nobody_in(rf, origin, ours):
    from django.core.exceptions import ValidationError

    from muhafiz.web.signin.forms import check_origin

    credential = json.loads(_credential(origin))
    if ours:
        check_origin(rf.get("/"), credential)
        return
    with pytest.raises(ValidationError):
        check_origin(rf.get("/"), credential)


# Guessing


def test_a_subscriber_with_many_ipv6_addresses_is_one(joined, hashed):
    joined()
    for at in range(30):
        sign_in(Client(REMOTE_ADDR=f"2001:db8:7:7::{at + 1:x}"), email=f"g{at}@cert.example")
    hashed.clear()
    answer = sign_in(Client(REMOTE_ADDR="2001:db8:7:7:ffff::1"))
    assert "Too many tries" in answer.content.decode()
    assert hashed == []
    assert sign_in(Client(REMOTE_ADDR="2001:db8:7:8::1")).status_code == 302


def test_a_visitor_does_not_choose_the_address_that_is_counted(joined, settings, hashed):
    joined()
    settings.PROXIES = 1
    for at in range(31):
        told = {"x-forwarded-for": f"203.0.113.{at}, 198.51.100.7"}
        last = Client(headers=told).post(
            "/sign-in/", {"login": f"g{at}@cert.example", "password": PASSWORD}
        )
    assert "Too many tries" in last.content.decode()


@pytest.mark.parametrize(
    ("named", "address"),
    [
        ("198.51.100.7:50211", "198.51.100.7"),
        ("[2001:db8::7]:50211", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("2001:db8::7", "2001:db8::7"),
        ("unknown", "unknown"),
    ],
)
def test_the_port_that_some_proxies_name_makes_no_other_address(rf, settings, named, address):
    settings.PROXIES = 1
    assert client_address(rf.get("/", headers={"x-forwarded-for": named})) == address


def test_guessed_codes_lock_and_an_operator_unlocks(joined):
    from muhafiz.accounts.actions.tries import unlock_account
    from tests.web.signin.conftest import set_app_up

    found, own, thief = joined(), Client(), Client()
    sign_in(own)
    set_app_up(own)
    sign_in(thief)
    for _ in range(5):
        thief.post("/sign-in/code/", {"code": "000000"})
    assert "Too many tries" in thief.post("/sign-in/code/", {"code": "1"}).content.decode()
    told = [e.action for e in entries(subject=f"person:{found.id}", limit=9)]
    assert told[0] == "accounts.lock_out"
    unlock_account(email=found.email, actor=OPERATOR, now=datetime.now(UTC))
    assert "not right" in thief.post("/sign-in/code/", {"code": "000000"}).content.decode()


# Where pages lead, and what they carry


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example",
     "javascript:alert(1)", "https:evil.example", "\x00//evil.example",
     "http://testserver@evil.example/", "https://testserver.evil.example/"],
)  # fmt: skip
def test_no_sign_in_leads_elsewhere(joined, elsewhere):
    joined("constituent_officer", organization_id=1)
    client = Client()
    given = {"login": "sana@cert.example", "password": PASSWORD, "next": elsewhere}
    answer = client.post("/sign-in/", given)
    assert answer["Location"] == "/begin/"
    confirmed = client.post("/sign-in/confirm/", {"password": PASSWORD, "next": elsewhere})
    assert not re.match(r"(?i)(https?:|//|/\\|\\|javascript:)", confirmed.get("Location", "/"))


def test_a_host_that_is_not_ours_gets_no_page(client):
    for host in ("evil.example", "testserver.evil.example", "testserver@evil.example", "a b"):
        assert client.get("/", headers={"host": host}).status_code == 400, host


def test_the_letters_link_is_of_our_address_whatever_host_was_asked(joined, letters, settings):
    settings.ALLOWED_HOSTS = ["*"]
    joined("analyst")
    Client(headers={"host": "evil.example"}).post(
        "/sign-in/forgotten/", {"email": "sana@cert.example"}
    )
    [text] = letters()
    assert "evil.example" not in text
    assert settings.PUBLIC_URL in text
