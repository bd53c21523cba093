"""A notice whose letters reach nobody goes to whoever can be reached, once; nothing is sent twice."""

from __future__ import annotations

import email
import email.policy
from datetime import timedelta

import pytest

from muhafiz.constituency.actions.contacts import (
    ContactDetails,
    change_contact,
    withdraw_contact,
)
from muhafiz.constituency.actions.inhibitions import inhibit_letters
from muhafiz.detection import composing, queries
from muhafiz.detection.actions import resending
from muhafiz.detection.actions.notices import DigestUnfinished
from muhafiz.detection.actions.resending import (
    CannotHold,
    CannotLetGo,
    hold_notice,
    release_notice,
    send_stranded,
)
from muhafiz.detection.bundling import Frame
from muhafiz.detection.files import located
from muhafiz.detection.models import DigestRun
from muhafiz.detection.rules import is_lost
from muhafiz.keyring.actions.certificates import create_signing_certificate
from muhafiz.keyring.openpgp import new_certificate
from muhafiz.notifications import queries as post
from muhafiz.notifications.actions.delivery import deliver_due
from muhafiz.notifications.actions.letters import cancel_message
from muhafiz.publications.queries import verify
from tests.detection.given import event

pytestmark = pytest.mark.django_db

UNKNOWN = "550 5.1.1 no such user here"


@pytest.fixture
def deliver(peer, actor, clock):
    return lambda: deliver_due(actor=actor, clock=clock.now)


@pytest.fixture
def stranded(actor, clock):
    return lambda: send_stranded(actor=actor, now=clock.now())


def states() -> list[tuple[str, str]]:
    return sorted((each.address, each.state) for each in post.letters())


def test_a_dead_address_hands_over_to_the_next_contact(
    *, owner, arrive, policy, send, deliver, peer, contact, stranded, clock
):
    bank = owner("Alpha Bank", contact=False)
    contact(bank, "old")
    policy()
    arrive([event(bank)])
    send()
    peer.mailbox.answers["RCPT"] = [UNKNOWN, "250 OK"]
    deliver()
    assert states() == [("old@org.example", "failed")]
    assert stranded() == 0  # there is nobody else
    contact(bank, "new", role="ciso")
    clock.advance(timedelta(hours=1))
    assert (stranded(), stranded()) == (1, 0)
    deliver()
    assert states() == [("new@org.example", "sent"), ("old@org.example", "failed")]
    [notice] = queries.notices()
    assert len(notice.letters) == 2
    [(address, raw)] = peer.mailbox.taken
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert address == "new@org.example"
    assert notice.number in message["Subject"]
    assert notice.verify_code in message.get_body(("plain",)).get_content()


def test_who_was_reached_is_not_written_to_again(
    *, owner, arrive, policy, send, deliver, peer, contact, stranded
):
    bank = owner("Alpha Bank", contact=False)
    contact(bank, "dead")
    contact(bank, "alive")
    policy()
    arrive([event(bank)])
    send()
    peer.mailbox.answers["RCPT"] = [UNKNOWN, "250 OK"]
    deliver()
    assert [state for _, state in states()].count("sent") == 1
    contact(bank, "third")
    assert stranded() == 0


def test_a_key_that_ended_holds_the_letter_until_there_is_a_new_one(
    *, owner, arrive, policy, send, contact, stranded, clock, actor
):
    create_signing_certificate(user_id="CERT <cert@cert.example>", actor=actor, now=clock.now())
    ending = new_certificate("<desk@org.example>", valid_for=timedelta(days=1))
    lasting = new_certificate("<desk@org.example>", valid_for=timedelta(days=900))
    bank = owner("Alpha Bank", contact=False)
    clock.moment = ending.expires - timedelta(hours=1)
    desk = contact(bank, "desk", certificate=ending.public)
    policy()
    arrive([event(bank)])
    clock.moment = ending.expires + timedelta(hours=1)
    send()
    [(_, state)] = states()
    assert state == "held"
    assert stranded() == 0
    [letter] = post.letters()
    assert "expired" in letter.reason
    details = ContactDetails(role="abuse", address="desk@org.example", certificate=lasting.public)
    change_contact(contact_id=desk, details=details, actor=actor, now=clock.now())
    assert (stranded(), stranded()) == (1, 0)
    assert [state for _, state in states()] == ["cancelled", "queued"]
    new, _old = post.letters()
    assert new.encrypted
    [notice] = queries.notices()
    assert [each.contact_version for each in notice.letters] == [1, 2]


def test_letters_that_waited_for_the_houses_own_key_go_when_it_is_there(
    *, owner, arrive, policy, send, contact, stranded, clock, actor
):
    key = new_certificate("<desk@org.example>", valid_for=timedelta(days=900))
    bank = owner("Alpha Bank", contact=False)
    contact(bank, "desk", certificate=key.public)
    policy()
    arrive([event(bank)])
    send()
    [letter] = post.letters()
    assert letter.state == "held"
    assert stranded() == 0
    create_signing_certificate(user_id="CERT <cert@cert.example>", actor=actor, now=clock.now())
    assert (stranded(), stranded()) == (1, 0)
    [mended] = post.letters()
    assert (mended.id, mended.state, mended.encrypted) == (letter.id, "queued", True)


@pytest.mark.parametrize("how", ["stopped", "old"])
def test_what_a_person_stopped_or_is_long_past_stays(
    *, owner, arrive, policy, send, deliver, peer, contact, stranded, clock, actor, how
):
    bank = owner("Alpha Bank", contact=False)
    contact(bank, "old")
    policy()
    arrive([event(bank)])
    send()
    [letter] = post.letters()
    if how == "stopped":
        cancel_message(message=letter.id, reason="Not this one.", actor=actor, now=clock.now())
    else:
        peer.mailbox.answers["RCPT"] = [UNKNOWN]
        deliver()
        clock.advance(timedelta(days=31))
    contact(bank, "new")
    assert stranded() == 0


def test_a_person_sends_a_lost_notice_again(
    *, owner, arrive, policy, send, deliver, peer, contact, clock, actor
):
    bank = owner("Alpha Bank", contact=False)
    contact(bank, "old")
    policy()
    arrive([event(bank)])
    send()
    [notice] = queries.notices()
    with pytest.raises(CannotLetGo, match="released"):
        release_notice(notice_id=notice.id, actor=actor, now=clock.now())
    peer.mailbox.answers["RCPT"] = [UNKNOWN]
    deliver()
    with pytest.raises(CannotLetGo, match="nobody"):
        release_notice(notice_id=notice.id, actor=actor, now=clock.now())
    contact(bank, "new")
    release_notice(notice_id=notice.id, actor=actor, now=clock.now())
    assert states() == [("new@org.example", "queued"), ("old@org.example", "failed")]
    hold_notice(notice_id=notice.id, reason="Wait.", actor=actor, now=clock.now())
    with pytest.raises(CannotHold):
        hold_notice(notice_id=notice.id, reason="Wait.", actor=actor, now=clock.now())
    release_notice(notice_id=notice.id, actor=actor, now=clock.now())
    assert len(queries.notice(notice.id).letters) == 3
    assert len({(each.recipient, each.window) for each in post.letters()}) == 3


@pytest.mark.parametrize(
    ("found", "lost"),
    [
        ([], False),
        (["failed"], True),
        (["held", "cancelled"], True),
        (["cancelled"], False),
        (["failed", "sent"], False),
        (["failed", "queued"], False),
        (["failed", "unsure"], False),
    ],
)
def test_which_letters_reach_nobody(found, lost):
    assert is_lost(found) is lost


def test_a_contact_that_was_ended_gets_no_letter_that_was_held_for_it(
    *, owner, arrive, policy, send, contact, stranded, clock, actor
):
    key = new_certificate("<desk@org.example>", valid_for=timedelta(days=900))
    bank, power = owner("Alpha Bank", contact=False), owner("Power", contact=False)
    gone = contact(bank, "desk", certificate=key.public)
    ended = contact(power, "ended", certificate=key.public)
    policy()
    arrive([event(bank, 1), event(power, 2)])
    send()
    assert [state for _, state in states()] == ["held", "held"]
    withdraw_contact(contact_id=gone, reason="He left.", actor=actor, now=clock.now())
    details = ContactDetails(
        "ended@org.example", "abuse", certificate=key.public, valid_to=clock.now().date()
    )
    change_contact(contact_id=ended, details=details, actor=actor, now=clock.now())
    create_signing_certificate(user_id="CERT <cert@cert.example>", actor=actor, now=clock.now())
    contact(bank, "new")
    assert (stranded(), stranded()) == (1, 0)
    assert states() == [
        ("desk@org.example", "cancelled"),
        ("ended@org.example", "held"),
        ("new@org.example", "queued"),
    ]


@pytest.mark.parametrize("how", ["cut", "gone"])
def test_a_damaged_plan_keeps_back_no_other_notice(
    *, owner, arrive, policy, send, contact, stranded, clock, actor, how
):
    """Rows past their time of keeping are no fault; a damaged file is told of at the end."""
    owners = [owner(name, contact=False) for name in ("Alpha Bank", "Power")]
    policy()
    for batch, each in enumerate(owners, 1):
        arrive([event(each, batch)], batch=batch)
        send()
    for each in owners:
        contact(each, f"o{each}")
    first = min(DigestRun.objects.values_list("path", flat=True))
    if how == "gone":
        located(first).unlink()
        assert (stranded(), stranded()) == (1, 0)
    else:
        located(first).write_bytes(b"PAR1")
        with pytest.raises(DigestUnfinished, match="notice"):
            stranded()
    assert sorted(each.state for each in queries.notices()) == ["released", "undeliverable"]
    [lost] = queries.undeliverable()
    if how == "gone":
        with pytest.raises(CannotLetGo, match="kept"):
            release_notice(notice_id=lost.id, actor=actor, now=clock.now())


def test_many_lost_notices_are_found_in_portions(
    *, owner, arrive, policy, send, deliver, peer, contact, stranded, monkeypatch
):
    """A database takes only so many parameters in one statement."""
    monkeypatch.setattr(resending, "_AT_ONCE", 2)
    owners = [owner(f"Bank {n}", contact=False) for n in range(5)]
    for each in owners:
        contact(each, f"old{each}")
    policy()
    arrive([event(each, each) for each in owners])
    send()
    peer.mailbox.answers["RCPT"] = [UNKNOWN] * 5
    deliver()
    for each in owners:
        contact(each, f"new{each}")
    assert (stranded(), stranded()) == (5, 0)


def test_a_first_letter_shows_the_checksum_of_the_file_it_carries(
    *, owner, arrive, policy, send, contact, stranded, monkeypatch
):
    """The notice waited for a contact; meanwhile an upgrade changed how the file is written."""
    bank = owner("Alpha Bank", contact=False)
    policy()
    arrive([event(bank)])
    send()
    monkeypatch.setattr(composing, "_CSV", Frame("events.csv", head=b"changed\n"))
    contact(bank, "new")
    assert stranded() == 1
    [letter] = post.letters()
    [notice] = queries.notices()
    text = email.message_from_bytes(post.letter_bytes(letter.id), policy=email.policy.default)
    assert notice.digest in text.get_body(("plain",)).get_content()
    assert verify(notice.verify_code).digest == notice.digest


def test_an_inhibited_organization_is_not_written_to_by_itself(
    *, owner, arrive, policy, send, contact, stranded, clock, actor
):
    bank = owner("Alpha Bank", contact=False)
    policy()
    arrive([event(bank)])
    send()
    contact(bank, "new")
    until = clock.now() + timedelta(days=2)
    inhibit_letters(
        organization_id=bank, classes="potentially-unwanted-*", until=until, reason="It moves.",
        actor=actor, now=clock.now(),
    )  # fmt: skip
    assert stranded() == 0
    clock.moment = until
    assert stranded() == 1
