"""The page by which a contact answers, and the desk's side of asking."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email import policy
from email.parser import BytesParser

import pytest

from muhafiz.constituency.actions.contacts import ContactDetails, add_contact, confirm_contact
from muhafiz.constituency.actions.organizations import register_organization
from muhafiz.constituency.models import ContactAsk
from muhafiz.constituency.queries import current_contacts
from muhafiz.notifications.actions.delivery import deliver_due
from muhafiz.notifications.queries import letters
from muhafiz.web import contact_ask
from tests.notifications.peers import Mailbox, served
from tests.web.given import OPERATOR

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _calm(folders, settings):
    contact_ask.allowance.renew()
    settings.MAIL_FROM, settings.DEMONSTRATION = "desk@cert.example", False


@pytest.fixture
def liaison(entered):
    return entered("sector_liaison")


@pytest.fixture
def by():
    return {"actor": OPERATOR, "now": datetime.now(UTC)}


@pytest.fixture
def bank(by):
    owner = register_organization(name_en="Bank <b>", **by)
    details = ContactDetails("abuse@bank.example", "abuse", name="Desk <i>")
    add_contact(organization_id=owner, details=details, **by)
    return owner


def words(answer) -> str:
    return " ".join(re.sub(r"<[^>]*>", "", answer.content.decode()).split())


@pytest.fixture
def link(bank, liaison, settings):
    return asked(bank, liaison, settings)


def asked(bank, liaison, settings) -> str:
    """Asked on the organization's page, mailed, and followed from the letter."""
    [contact] = current_contacts([bank])
    page = f"/desk/constituents/{bank}/"
    assert "Ask by letter" in words(liaison.get(page))
    liaison.post(f"{page}contacts/{contact.id}/ask/")
    assert "asked by letter" in words(liaison.get(page))
    with served(Mailbox()) as peer:
        settings.SMTP_URL = peer.url
        deliver_due(actor=OPERATOR, clock=lambda: datetime.now(UTC))
        [(_, raw)] = peer.mailbox.taken
    letter = BytesParser(policy=policy.default).parsebytes(raw)
    text = letter.get_body(("plain",)).get_content()
    return re.search(r"/contact/[A-Za-z0-9_-]+/", text)[0]


def test_following_the_link_changes_nothing_and_answering_confirms(link, bank, client):
    shown = client.get(link)
    assert "abuse@bank.example" in words(shown)
    assert "Bank &lt;b&gt;" in shown.content.decode()
    client.head(link)
    [contact] = current_contacts([bank])
    assert contact.confirmed_at is None
    told = words(client.post(link, {"answer": "right"}))
    assert "Confirmed." in told
    [contact] = current_contacts([bank])
    assert contact.confirmed_at is not None
    assert "Confirmed." in words(client.get(link))
    assert client.post(link, {"answer": "right"}).status_code == 409


def test_what_is_no_answer_is_none(link, client):
    for nonsense in ({}, {"answer": ""}, {"answer": "RIGHT"}, {"words": "x"}):
        assert client.post(link, nonsense).status_code == 400
    assert ContactAsk.objects.get().answered_at is None
    assert client.post(link, {"answer": "right"}).status_code == 200


def test_what_is_wrong_reaches_the_liaison(link, bank, client, liaison):
    told = words(client.post(link, {"answer": "wrong", "words": "Ask <b>Ayesha</b> instead."}))
    assert "something is wrong" in told
    shown = liaison.get("/desk/liaison/").content.decode()
    assert "Ask &lt;b&gt;Ayesha&lt;/b&gt; instead." in shown
    assert "Ayesha" in words(liaison.get(f"/desk/constituents/{bank}/"))


def test_a_link_that_was_never_sent_says_nothing(bank, client):
    for token in ("nothing", "x" * 200, "a" * 32):
        assert client.get(f"/contact/{token}/").status_code == 404
        assert client.post(f"/contact/{token}/", {"answer": "right"}).status_code == 404
    assert current_contacts([bank])[0].confirmed_at is None


def test_the_page_speaks_as_the_letter_until_its_reader_chooses(
    bank, by, liaison, client, settings
):
    organization = register_organization(name_en="Hospital", language="ur", **by)
    details = ContactDetails("abuse@hospital.example", "abuse")
    add_contact(organization_id=organization, details=details, **by)
    link = asked(organization, liaison, settings)
    english = {"Accept-Language": "en"}
    shown = client.get(link, headers=english)
    assert shown["Content-Language"] == "ur"
    assert "کیا یہ رابطہ" in words(shown)
    client.cookies["django_language"] = "en"
    assert client.get(link, headers=english)["Content-Language"] == "en"


def test_links_cannot_be_guessed_by_trying(client):
    answers = {client.get("/contact/nothing/").status_code for _ in range(40)}
    assert answers == {404, 429}


def test_a_constituents_person_may_follow_another_organizations_link(link, by, constituent_client):
    """The link alone says about whom: a desk may serve several organizations."""
    other = register_organization(name_en="Other", **by)
    assert "abuse@bank.example" in words(constituent_client(other).get(link))


def test_the_liaison_asks_all_that_are_late_once(liaison, by, bank):
    for name in ("Rail", "Water"):
        owner = register_organization(name_en=name, **by)
        details = ContactDetails(f"abuse@{name.lower()}.example", "abuse")
        add_contact(organization_id=owner, details=details, **by)
    [contact] = current_contacts([owner])
    confirm_contact(contact_id=contact.id, actor=OPERATOR, now=by["now"] - timedelta(days=5))
    assert "Ask 2 contacts by letter" in words(liaison.get("/desk/liaison/"))
    answer = words(liaison.post("/desk/liaison/ask/", follow=True))
    assert "Contacts asked by letter: 2." in answer
    assert "contacts by letter" not in answer
    assert ContactAsk.objects.count() == len(letters()) == 2
    assert liaison.post("/desk/liaison/ask/").status_code == 409


def test_who_may_not_edit_may_not_ask(entered, bank):
    [contact] = current_contacts([bank])
    auditor = entered("auditor")
    for path in (f"/desk/constituents/{bank}/contacts/{contact.id}/ask/", "/desk/liaison/ask/"):
        assert auditor.post(path).status_code == 403
    assert letters() == []
