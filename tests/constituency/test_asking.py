"""Contacts are asked whether they are still right: once, by letter, answered by whoever got it."""

from __future__ import annotations

import email
import email.policy
import re
import string
import threading
import tomllib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from importlib import resources

import pytest
from django.db import connection

from muhafiz.constituency import asks
from muhafiz.constituency.actions import asking, contacts
from muhafiz.constituency.actions.asking import answer_ask, ask_contacts, ask_some_contacts
from muhafiz.constituency.actions.contacts import ContactDetails, add_contact
from muhafiz.constituency.actions.organizations import retire_organization
from muhafiz.constituency.cares import cares_at
from muhafiz.constituency.directory import history
from muhafiz.constituency.letters import languages
from muhafiz.constituency.models import Contact, ContactAsk
from muhafiz.constituency.queries import current_contacts
from muhafiz.constituency.rules import LANGUAGES, ROLES, AskIsOver, CannotAsk
from muhafiz.keyring.actions.certificates import create_signing_certificate
from muhafiz.keyring.openpgp import new_certificate
from muhafiz.notifications import queries as post
from muhafiz.notifications.actions.addresses import retire_address
from muhafiz.notifications.actions.delivery import deliver_due
from muhafiz.rulebook.queries import value_or
from tests.notifications.peers import Mailbox, served

pytestmark = pytest.mark.django_db
HERE = resources.files("muhafiz.constituency.letters")


@pytest.fixture
def peer(settings, nation):
    settings.MAIL_FROM = "desk@cert.example"
    settings.DEMONSTRATION = False
    with served(Mailbox()) as found:
        settings.SMTP_URL = found.url
        yield found


@pytest.fixture
def contact(organization, actor, now):
    def add(called: str, **more) -> int:
        owner = organization(called, name_ur="بینک", language=more.pop("language", "en"))
        details = ContactDetails(f"abuse@{called.lower()}.example", "abuse", **more)
        return add_contact(organization_id=owner, details=details, actor=actor, now=now)

    return add


@pytest.fixture
def one_a_day(monkeypatch):
    """The rulebook lets the platform ask one contact a day."""
    monkeypatch.setattr(
        asking,
        "value_or",
        lambda key, default, at: (
            1 if key == "liaison.asks_a_day" else value_or(key, default, at=at)
        ),
    )


def taken(peer, actor, now) -> dict[str, str]:
    """Address → text of each letter that the mail server took."""
    deliver_due(actor=actor, clock=lambda: now)
    found = {}
    for address, raw in peer.mailbox.taken:
        message = email.message_from_bytes(raw, policy=email.policy.default)
        found[address] = message.get_body(("plain",)).get_content()
    return found


def token_in(text: str) -> str:
    return re.search(r"/contact/([A-Za-z0-9_-]+)/", text)[1]


def test_the_letter_says_what_is_known_and_its_link_confirms(peer, contact, actor, now):
    one = contact("Bank", name="Night {desk}", hours="Mon-Fri 09:00-17:00")
    other = contact("Water", language="ur")
    assert ask_contacts(contact_ids=[one, other, 10**6], actor=actor, now=now) == 2
    letters = taken(peer, actor, now)
    english, urdu = letters["abuse@bank.example"], letters["abuse@water.example"]
    for fact in ("Bank", "abuse@bank.example", "Night {desk}", "Mon-Fri 09:00-17:00", "abuse desk"):
        assert fact in english
    assert "بینک" in urdu
    assert token_in(english) != token_in(urdu)
    later = now + timedelta(days=1)
    owner, known, ask = asks.asked_contact(token_in(english))
    assert (owner.name_en, known.id, ask.right) == ("Bank", one, None)
    answer_ask(token=token_in(english), right=True, now=later)
    [confirmed] = current_contacts([owner.id])
    assert confirmed.confirmed_at == later
    assert asks.latest_asks([one])[one].right is True
    [first, second, *_] = history(owner.id, viewer=actor)
    assert {first.action, second.action} == {"confirm_contact", "answer_ask"}
    with pytest.raises(AskIsOver):
        answer_ask(token=token_in(english), right=False, now=later)
    assert asks.wrong_contacts(viewer=actor) == []


def test_what_is_wrong_waits_for_people_until_it_is_mended(peer, contact, actor, now):
    one = contact("Bank")
    ask_contacts(contact_ids=[one], actor=actor, now=now)
    [text] = taken(peer, actor, now).values()
    words = "He left.\nWrite to \u202enew@bank.example" + "x" * 600
    answer_ask(token=token_in(text), right=False, words=words, now=now)
    [(owner, known, ask)] = asks.wrong_contacts(viewer=actor)
    assert (owner.name_en, known.id) == ("Bank", one)
    assert ask.words.startswith("He left. Write to new@bank.example")
    assert len(ask.words) == 500
    assert known.confirmed_at is None
    details = ContactDetails("new@bank.example", "abuse")
    contacts.change_contact(contact_id=one, details=details, actor=actor, now=now)
    assert asks.wrong_contacts(viewer=actor) == []


def test_nobody_is_asked_twice_within_a_month_and_only_who_takes_mail(peer, contact, actor, now):
    one, dead, gone = contact("Bank"), contact("Dead"), contact("Gone")
    retire_address(address="abuse@dead.example", reason="came back", actor=actor, now=now)
    assert asks.contacts_to_ask(cares=cares_at(now), asked_before=now, limit=9) == [one, gone]
    owner = Contact.objects.get(pk=gone).organization_id
    retire_organization(organization_id=owner, since=now.date(), actor=actor, now=now)
    assert ask_contacts(contact_ids=[one, dead, gone], actor=actor, now=now) == 1
    with pytest.raises(CannotAsk):
        ask_contacts(contact_ids=[one], actor=actor, now=now + timedelta(days=29))
    later = now + timedelta(days=31)
    assert ask_contacts(contact_ids=[one], actor=actor, now=later) == 1
    assert len(post.letters()) == 2
    with pytest.raises(CannotAsk):
        ask_contacts(contact_ids=list(range(201)), actor=actor, now=later)


@pytest.mark.parametrize("change", ["changed", "withdrawn"])
def test_a_link_about_what_is_no_more_answers_nothing(peer, contact, actor, now, change):
    one = contact("Bank")
    ask_contacts(contact_ids=[one], actor=actor, now=now)
    [text] = taken(peer, actor, now).values()
    if change == "changed":
        details = ContactDetails("new@bank.example", "abuse")
        contacts.change_contact(contact_id=one, details=details, actor=actor, now=now)
    else:
        contacts.withdraw_contact(contact_id=one, reason="left", actor=actor, now=now)
    with pytest.raises(AskIsOver):
        answer_ask(token=token_in(text), right=True, now=now)
    with pytest.raises(AskIsOver):
        answer_ask(token="x" * 32, right=True, now=now)
    assert asks.asked_contact("x" * 32) is None


def test_the_secret_of_the_link_is_kept_nowhere(peer, contact, actor, now):
    one = contact("Bank")
    ask_contacts(contact_ids=[one], actor=actor, now=now)
    [letter] = post.letters()
    assert letter.private
    assert post.letter_bytes(letter.id) is None
    [text] = taken(peer, actor, now).values()
    assert ContactAsk.objects.get().token_digest == asks.token_digest(token_in(text))
    assert token_in(text) not in str(ContactAsk.objects.values().get())


def test_a_key_that_ended_keeps_no_question_back(peer, contact, actor, now):
    create_signing_certificate(user_id="CERT <cert@cert.example>", actor=actor, now=now)
    short = new_certificate("<abuse@bank.example>", valid_for=timedelta(days=2))
    entered = short.expires - timedelta(days=1)
    one = contact("Bank")
    details = ContactDetails("abuse@bank.example", "abuse", certificate=short.public)
    contacts.change_contact(contact_id=one, details=details, actor=actor, now=entered)
    ask_contacts(contact_ids=[one], actor=actor, now=entered)
    [letter] = post.letters()
    assert letter.encrypted
    ask_contacts(contact_ids=[one], actor=actor, now=entered + timedelta(days=40))
    later, _ = post.letters()
    assert (later.encrypted, later.state) == (False, "queued")


def test_the_platform_asks_nobody_before_the_cert_says_so(contact, actor, now):
    contact("Bank")
    assert ask_some_contacts(actor=actor, now=now) == 0  # the profile's default


@pytest.mark.usefixtures("one_a_day")
def test_the_platform_asks_by_itself_only_as_many_as_it_may(contact, actor, now):
    ids = [contact(name) for name in ("Bank", "Water", "Rail")]
    contacts.confirm_contact(contact_id=ids[0], actor=actor, now=now - timedelta(days=10))
    days = [now + timedelta(days=day) for day in range(4)]
    assert [ask_some_contacts(actor=actor, now=day) for day in days] == [1, 1, 0, 0]
    asked = set(ContactAsk.objects.values_list("contact_id", flat=True))
    assert asked == set(ids[1:])


def test_every_language_says_the_same():
    def places(text):
        return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)

    assert languages() == set(LANGUAGES)
    read = {}
    for language in languages():
        words = tomllib.loads(HERE.joinpath(language, "words.toml").read_text("utf-8"))
        assert set(words["roles"]) == set(ROLES)
        assert set(words["languages"]) == set(LANGUAGES)
        template = HERE.joinpath(language, "ask.txt").read_text("utf-8")
        flat = {k: places(v) for k, v in words.items() if isinstance(v, str)}
        facts = {k: places(v) for k, v in words["facts"].items()}
        read[language] = (set(places(template)), flat, facts)
    assert read["en"] == read["ur"]


@pytest.mark.usefixtures("one_a_day")
def test_who_cannot_be_asked_takes_nobodys_turn(*, contact, actor, now):
    day = now.date()
    dead = contact("Dead")
    contact("Ended", valid_to=day)
    contact("Later", valid_from=day + timedelta(days=2))
    alive = contact("Bank")
    retire_address(address="ABUSE@dead.example", reason="came back", actor=actor, now=now)
    assert ask_some_contacts(actor=actor, now=now) == 1
    assert set(ContactAsk.objects.values_list("contact_id", flat=True)) == {alive}
    with pytest.raises(CannotAsk):
        ask_contacts(contact_ids=[dead, dead + 1, dead + 2], actor=actor, now=now)


@pytest.mark.usefixtures("one_a_day")
def test_whoever_never_answered_is_asked_before_those_who_did_once(*, contact, actor, now):
    once, never = contact("Bank"), contact("Water")
    long_ago = now - timedelta(days=400)
    contacts.confirm_contact(contact_id=once, actor=actor, now=long_ago)
    assert ask_some_contacts(actor=actor, now=now) == 1
    assert ContactAsk.objects.get().contact_id == never


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has one writer: nothing comes between"
)
def test_two_who_ask_at_once_send_one_letter(contact, actor, now):
    one = contact("Bank")
    both = threading.Barrier(2)

    def ask() -> int:
        both.wait(10)
        try:
            return ask_contacts(contact_ids=[one], actor=actor, now=now)
        except CannotAsk:
            return 0
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        found = [pool.submit(ask) for _ in range(2)]
        assert sorted(each.result() for each in found) == [0, 1]
    assert len(post.letters()) == 1
