from __future__ import annotations

import time
from email import message_from_bytes, policy
from uuid import uuid4

import pytest
from django.db import transaction

from muhafiz.audit.queries import entries
from muhafiz.jobs.models import Job
from muhafiz.notifications.actions.addresses import restore_address, retire_address
from muhafiz.notifications.actions.letters import (
    cancel_message,
    mend_held,
    resolve_unsure,
    retry_message,
)
from muhafiz.notifications.actions.outbox import enqueue_messages
from muhafiz.notifications.messages import Attachment, MessageDraft, Order
from muhafiz.notifications.models import Message, MessageBytes
from muhafiz.notifications.queries import (
    counts_by_state,
    is_retired,
    letter,
    letter_bytes,
    letters,
    letters_about,
    retired_addresses,
    retired_among,
    unsure,
)
from muhafiz.notifications.rules import CannotChangeMessage, CannotRestoreAddress
from muhafiz.release.actions.recall import recall_item
from muhafiz.release.rules import NotReleased
from tests.notifications.peers import draft


def read(raw):
    return message_from_bytes(raw, policy=policy.default)


def test_a_letter_is_built_once_and_stored(db, post):
    content = b"ip\r\n203.0.113.7\r\n"
    first = post.put("w1", attachments=(Attachment("events.csv", "text/csv", content),))
    again = post.put("w1", subject="another attempt")
    assert again == first
    [row] = letters()
    assert (row.state, row.address, row.tlp, row.recipient) == (
        "queued",
        "abuse@org.example",
        "AMBER",
        "organization:7",
    )
    raw = letter_bytes(first)
    mail = read(raw)
    assert mail["Subject"] == "53 systems need attention"
    assert mail["From"] == "National CERT <cert@cert.example>"
    assert mail["Message-ID"] == row.message_id == f"<{first}@cert.example>"
    assert row.size == len(raw)
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/csv"]
    assert entries(action="notifications.enqueue_messages")[0].subject == f"message:{first}"
    assert Job.objects.filter(name="notifications.deliver").count() == 1
    assert [one.id for one in letters_about("notice", "N-1")] == [first]


def test_nothing_is_left_of_an_undone_transaction(db, post):
    class UndoneError(Exception):
        pass

    with pytest.raises(UndoneError), transaction.atomic():  # noqa: PT012 - undone on purpose
        post.put()
        raise UndoneError
    assert not Message.objects.exists()
    assert not MessageBytes.objects.exists()
    assert not Job.objects.filter(name="notifications.deliver").exists()


def test_only_what_the_gate_let_out_is_enqueued(db, post):
    good = post.let_out()
    orders = [Order(good, draft(), "p", "r", "w"), Order(object(), draft(), "p", "r2", "w")]
    with pytest.raises(NotReleased):
        enqueue_messages(orders, actor=post.actor, now=post.clock.now())
    assert not Message.objects.exists()


def test_a_batch_may_repeat_a_key_and_meet_known_ones(db, post):
    known = post.put("w1")
    released = post.let_out()
    orders = [
        Order(released, draft(subject=f"s{n}"), "digest:1", recipient, window)
        for n, (recipient, window) in enumerate(
            [
                ("organization:7", "w2"),
                ("organization:7", "w1"),
                ("organization:7", "w2"),
                ("x", "w2"),
            ]
        )
    ]
    ids = enqueue_messages(orders, actor=post.actor, now=post.clock.now())
    assert ids[1] == known
    assert ids[0] == ids[2] != ids[3]
    assert letter(ids[0]).subject == "s0"
    assert Message.objects.count() == MessageBytes.objects.count() == 3


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"recipient_address": "nobody"}, "has no @"),
        ({"recipient_address": "a@b\r\nRCPT TO:<x@y>"}, "is no mail address"),
        ({"recipient_address": "a\x00\ud800b@c.d", "language": "\x00"}, "SMTPUTF8"),
        ({"recipient_address": "دفتر@org.example"}, "SMTPUTF8"),
        ({"certificate": "garbage"}, "certificate"),
        ({"certificate": ""}, "certificate"),
    ],
)
def test_what_must_not_go_is_held_with_the_reason_and_sealed(db, post, change, reason):
    held = post.put(**change)
    row = letter(held)
    assert row.state == "held"
    assert reason in row.reason
    assert letter_bytes(held) is None
    stored = MessageBytes.objects.get(message_id=held)
    assert stored.sealed
    assert b"please look" not in bytes(stored.compressed)


def test_a_held_letter_never_goes_out_in_clear(db, post):
    held = post.put(certificate="garbage")
    with pytest.raises(CannotChangeMessage, match="certificate"):
        mend_held(message=held, actor=post.actor, now=post.clock.now())
    assert letter(held).state == "held"


def test_a_held_letter_goes_to_a_mended_address(db, post):
    held = post.put(recipient_address="abuse(at)org.example")
    for address in (None, "still wrong"):
        with pytest.raises(CannotChangeMessage):
            mend_held(message=held, address=address, actor=post.actor, now=post.clock.now())
    mend_held(message=held, address="abuse@ORG.example", actor=post.actor, now=post.clock.now())
    row = letter(held)
    assert (row.state, row.address, row.reason) == ("queued", "abuse@org.example", "")
    mail = read(letter_bytes(held))
    assert mail["To"].addresses[0].addr_spec == "abuse@org.example"
    assert mail["Subject"] == "53 systems need attention"
    assert mail.get_content() == "Dear colleagues,\r\n\r\nplease look.\r\n"
    assert mail["Message-ID"] == row.message_id


def test_without_a_sender_address_letters_are_held(db, post, settings):
    settings.MAIL_FROM = ""
    held = post.put()
    assert "sender address" in letter(held).reason
    with pytest.raises(CannotChangeMessage, match="sender"):
        mend_held(message=held, actor=post.actor, now=post.clock.now())
    settings.MAIL_FROM = "cert@cert.example"
    mend_held(message=held, actor=post.actor, now=post.clock.now())
    assert read(letter_bytes(held))["From"].addresses[0].addr_spec == "cert@cert.example"


def test_retired_addresses_hold_letters_until_taken_back(db, post):
    known = {"actor": post.actor, "now": post.clock.now()}
    assert retire_address(address="Abuse@Org.example", reason="bounced", evidence="550", **known)
    assert not retire_address(address="abuse@org.example", reason="again", **known)
    assert is_retired("ABUSE@org.EXAMPLE")
    assert retired_among(["abuse@org.example", "x@y.z"]) == {"abuse@org.example"}
    assert [row.reason for row in retired_addresses()] == ["bounced"]
    held = post.put()
    assert letter(held).state == "held"
    with pytest.raises(CannotChangeMessage, match="no more mail"):
        mend_held(message=held, **known)
    for address, reason in (("x@y.z", "ok"), ("abuse@org.example", " ")):
        with pytest.raises(CannotRestoreAddress):
            restore_address(address=address, reason=reason, **known)
    restore_address(address="abuse@org.example", reason="they called", **known)
    assert retired_addresses() == []
    mend_held(message=held, **known)
    assert letter(held).state == "queued"
    assert retire_address(address="abuse@org.example", reason="bounced again", **known)


def test_a_person_decides_in_the_right_states_only(db, post):
    known = {"actor": post.actor, "now": post.clock.now()}
    queued = post.put()
    for act in (
        lambda: resolve_unsure(message=queued, outcome="sent", note="seen", **known),
        lambda: retry_message(message=queued, **known),
        lambda: mend_held(message=queued, **known),
        lambda: cancel_message(message=queued, reason=" ", **known),
        lambda: cancel_message(message=uuid4(), reason="x", **known),
    ):
        with pytest.raises(CannotChangeMessage):
            act()
    cancel_message(message=queued, reason="not needed", **known)
    assert letter(queued).state == "cancelled"
    with pytest.raises(CannotChangeMessage, match="it is cancelled"):
        cancel_message(message=queued, reason="again", **known)


def test_what_was_recalled_is_not_tried_again(db, post):
    known = {"actor": post.actor, "now": post.clock.now()}
    failed = post.put()
    Message.objects.filter(pk=failed).update(state="failed")
    recall_item(item_kind="notice", identifier="N-1", reason="wrong", **known)
    with pytest.raises(CannotChangeMessage, match="recalled"):
        retry_message(message=failed, **known)


def test_lists_filter_page_and_count(db, post):
    ids = []
    for n in range(5):
        ids.append(post.put(subject=f"number {n}", recipient_name=f"Org {n}"))
        post.wait(minutes=1)
    Message.objects.filter(pk=ids[0]).update(state="unsure", handed_at=post.clock.now())
    assert counts_by_state() == {
        "queued": 4,
        "sending": 0,
        "sent": 0,
        "failed": 0,
        "unsure": 1,
        "held": 0,
        "cancelled": 0,
    }
    assert [row.id for row in unsure()] == ids[:1]
    assert [row.id for row in letters(state="queued")] == ids[:0:-1]
    page = letters(limit=2)
    rest = letters(before=(page[-1].created_at, page[-1].id))
    assert [row.id for row in page + rest] == ids[::-1]
    assert [row.id for row in letters(text="NUMBER 3")] == [ids[3]]
    assert [row.id for row in letters(text="org 2")] == [ids[2]]
    assert letters(recipient="organization:8") == letters(policy="x") == []
    assert len(letters(since=page[-1].created_at)) == 2
    assert letter(uuid4()) is None
    assert letter_bytes(uuid4()) is None


@pytest.mark.parametrize("rows", [1, 3])
def test_a_list_asks_once_however_long(db, post, django_assert_num_queries, rows):
    for _ in range(rows):
        post.put()
    with django_assert_num_queries(1):
        letters()
    with django_assert_num_queries(1):
        unsure()


def test_many_are_composed_and_stored_quickly(db, post):
    csv = b"".join(b"203.0.113.%d,telnet,open\r\n" % n for n in range(60))
    released = post.let_out()
    orders = [
        Order(
            released,
            MessageDraft(
                f"abuse{n}@org.example",
                "دفتر",
                "ur",
                f"Notice {n}",
                "محترم ساتھیو،\n" * 20,
                (Attachment("events.csv", "text/csv", csv),),
            ),
            "digest:1",
            f"organization:{n}",
            "w",
        )
        for n in range(5_000)
    ]
    started = time.process_time()
    ids = enqueue_messages(orders, actor=post.actor, now=post.clock.now())
    spent = time.process_time() - started
    assert len(set(ids)) == 5_000
    assert spent < 7.5  # 10⁵ within 150 s of one core
