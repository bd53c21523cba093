from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from muhafiz.audit.queries import entries
from muhafiz.notifications.actions.bounces import take_bounce
from muhafiz.notifications.models import Message
from muhafiz.notifications.queries import is_retired, letter


def report(message_id: str, address="abuse@org.example", status="5.1.1", action="failed") -> bytes:
    return (
        "From: MAILER-DAEMON@mx\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="B"\r\n\r\n'
        "--B\r\nContent-Type: text/plain\r\n\r\nsorry\r\n"
        "--B\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n"
        f"Final-Recipient: rfc822; {address}\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; 550 {status} unhappy\r\n\r\n"
        f"--B\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {message_id}\r\n\r\n--B--\r\n"
    ).encode()


@pytest.fixture
def sent(db, post):
    one = post.put()
    Message.objects.filter(pk=one).update(state="sent")
    return letter(one)


def test_a_dead_address_is_retired_and_the_letter_has_failed(post, sent):
    raw = report(sent.message_id)
    taken = take_bounce(raw=raw, actor=post.actor, now=post.clock.now())
    assert (taken.recognized, taken.message, taken.retired) == (
        True,
        sent.id,
        ("abuse@org.example",),
    )
    assert letter(sent.id).state == "failed"
    assert "came back: 5.1.1" in letter(sent.id).reason
    assert is_retired("abuse@org.example")
    assert entries(action="notifications.retire_address")[0].subject == "address:abuse@org.example"
    again = take_bounce(raw=raw, actor=post.actor, now=post.clock.now())
    assert again.message == sent.id
    assert len(entries(action="notifications.take_bounce")) >= 1


@pytest.mark.parametrize("status", ["4.4.7", "5.7.1", "5.2.2"])
def test_a_failure_of_another_kind_retires_nobody(post, sent, status):
    taken = take_bounce(
        raw=report(sent.message_id, status=status), actor=post.actor, now=post.clock.now()
    )
    assert (taken.message, taken.retired) == (sent.id, ())
    assert letter(sent.id).state == "failed"
    assert not is_retired("abuse@org.example")


@pytest.mark.parametrize(
    "forged",
    [
        {"message_id": "<guessed@cert.example>"},
        {"address": "director@org.example"},
        {"message_id": ""},
    ],
)
def test_a_forged_report_is_not_believed(post, sent, forged):
    facts = {"message_id": sent.message_id, **forged}
    taken = take_bounce(raw=report(**facts), actor=post.actor, now=post.clock.now())
    assert (taken.recognized, taken.message, taken.retired) == (True, None, ())
    assert letter(sent.id).state == "sent"
    assert not is_retired("abuse@org.example")
    assert not is_retired("director@org.example")


def test_a_delay_is_no_failure(post, sent):
    raw = report(sent.message_id, status="4.4.1", action="delayed")
    assert not take_bounce(raw=raw, actor=post.actor, now=post.clock.now()).recognized
    assert letter(sent.id).state == "sent"


def test_a_letter_not_yet_sent_cannot_have_come_back(db, post):
    one = letter(post.put())
    raw = report(one.message_id)
    assert take_bounce(raw=raw, actor=post.actor, now=post.clock.now()).message is None
    assert letter(one.id).state == "queued"


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(at=st.integers(0, 500), junk=st.binary(max_size=30))
def test_damaged_reports_never_break_the_desk(post, sent, at, junk):
    raw = report(sent.message_id)
    take_bounce(raw=raw[:at] + junk + raw[at:], actor=post.actor, now=post.clock.now())
