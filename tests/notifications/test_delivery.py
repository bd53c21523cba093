from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from django.db import connection

from muhafiz.audit.queries import entries
from muhafiz.jobs.registry import JobCancelled, JobRun
from muhafiz.notifications import channels
from muhafiz.notifications.actions.addresses import retire_address
from muhafiz.notifications.actions.delivery import deliver_due
from muhafiz.notifications.actions.leftovers import list_left_messages
from muhafiz.notifications.actions.letters import resolve_unsure, retry_message
from muhafiz.notifications.channels import Outcome, chosen_channel
from muhafiz.notifications.jobs import deliver, list_left
from muhafiz.notifications.models import Message, MessageBytes
from muhafiz.notifications.queries import (
    is_retired,
    letter,
    letter_bytes,
    letters,
    resting_channels,
    unsure,
)
from muhafiz.notifications.rules import (
    LONGEST_REST,
    MOST_ATTEMPTS,
    address_is_dead,
    channel_rest,
    is_rest_over,
    next_attempt,
    status_in,
    was_left,
)
from muhafiz.release.actions.recall import recall_item
from tests.notifications.peers import Mailbox, served

pytestmark = pytest.mark.django_db(transaction=True)


def test_letters_leave_over_one_connection_and_the_bytes_are_the_stored_ones(post, peer):
    ids = [post.put(text=f"letter {n}\n.\n..two dots\n") for n in range(20)]
    delivery = post.deliver()
    assert (delivery.counts["sent"], delivery.stopped) == (20, "")
    assert peer.mailbox.connections == 1
    taken = {
        message_from_bytes(raw, policy=policy.default)["Message-ID"]: raw
        for _, raw in peer.mailbox.taken
    }
    for one in ids:
        row = letter(one)
        assert (row.state, row.channel, row.attempts) == ("sent", "smtp", 1)
        assert taken[row.message_id] == letter_bytes(one)
    assert len(entries(action="notifications.send_message", subject=f"message:{ids[0]}")) == 1
    assert post.deliver().done == 0
    assert peer.mailbox.connections == 1  # nothing due: no connection


def test_the_peer_never_meets_an_open_transaction(post, peer, monkeypatch):
    seen = []
    from muhafiz.notifications.channels.smtp import SmtpSession

    original = SmtpSession.hand_over

    def watched(self, envelope, content):
        seen.append(connection.in_atomic_block)
        assert Message.objects.get(message_id=envelope.message_id).state == "sending"
        return original(self, envelope, content)

    monkeypatch.setattr(SmtpSession, "hand_over", watched)
    post.put()
    post.put()
    post.deliver()
    assert seen == [False, False]


@pytest.mark.parametrize("step", ["RCPT", "DATA"])
def test_a_temporary_no_is_tried_again_later(post, peer, step):
    peer.mailbox.answers[step] = ["451 4.3.0 come back later", "250 OK"]
    one = post.put()
    assert post.deliver().counts["queued"] == 1
    row = letter(one)
    assert (row.state, row.attempts) == ("queued", 1)
    assert "come back later" in row.reason
    assert row.next_attempt_at == post.clock.now() + timedelta(minutes=1)
    assert post.deliver().done == 0
    post.wait(minutes=1)
    assert post.deliver().counts["sent"] == 1
    assert len(peer.mailbox.taken) == 1


def test_after_days_of_temporary_noes_a_letter_has_failed(post, peer):
    peer.mailbox.answers["RCPT"] = ["451 4.3.0 later"]
    one = post.put()
    for _ in range(MOST_ATTEMPTS):
        post.deliver()
        post.wait(hours=7)
    row = letter(one)
    assert row.state == "failed"
    assert row.reason.startswith(f"given up after {MOST_ATTEMPTS} attempts")
    peer.mailbox.answers.clear()
    retry_message(message=one, actor=post.actor, now=post.clock.now())
    post.deliver()
    assert letter(one).state == "sent"


def test_an_unknown_recipient_fails_and_is_retired(post, peer):
    peer.mailbox.answers["RCPT"] = ["550 5.1.1 User unknown", "250 OK"]
    gone, fine = post.put(), post.put(recipient_address="other@org.example")
    post.deliver()
    assert {letter(gone).state, letter(fine).state} == {"failed", "sent"}
    assert is_retired("abuse@org.example") != is_retired("other@org.example")
    assert len(peer.mailbox.taken) == 1


@pytest.mark.parametrize(
    ("step", "answer"),
    [
        ("RCPT", "550 5.7.1 policy says no"),
        ("DATA", "554 5.6.0 looks like spam"),
        ("RCPT", "552 5.2.2 full\x00\x1b[31m"),
    ],
)
def test_other_permanent_noes_retire_nobody(post, peer, step, answer):
    peer.mailbox.answers[step] = [answer]
    one = post.put()
    post.deliver()
    assert letter(one).state == "failed"
    assert not is_retired("abuse@org.example")


def test_a_refused_sender_is_no_letters_fault(post, peer):
    peer.mailbox.answers["MAIL"] = ["550 5.7.1 not you", "250 OK"]
    ids = [post.put() for _ in range(3)]
    delivery = post.deliver()
    assert "not you" in delivery.stopped
    assert {letter(one).state for one in ids} == {"queued"}
    assert {letter(one).attempts for one in ids} == {0}
    [rest] = resting_channels(at=post.clock.now())
    assert "not you" in rest.reason
    assert "not you" in post.deliver().stopped  # still resting
    post.wait(minutes=1)
    assert post.deliver().counts["sent"] == 3
    assert resting_channels(at=post.clock.now()) == []


def test_an_unreachable_peer_leaves_everything_queued(post, settings):
    settings.SMTP_URL = "smtp+plain://127.0.0.1:1"
    one = post.put()
    for expected in (15, 30, 60):
        assert post.deliver().stopped
        [rest] = resting_channels(at=post.clock.now())
        assert rest.until - post.clock.now() == timedelta(seconds=expected)
        post.wait(seconds=expected)
    assert (letter(one).state, letter(one).attempts) == ("queued", 0)


@pytest.mark.parametrize(("answer", "taken"), [("drop", 0), ("take and drop", 1)])
def test_a_break_after_the_whole_letter_is_unsure_and_never_sent_again(post, peer, answer, taken):
    peer.mailbox.answers["DATA"] = [answer, "250 OK"]
    first = post.put()
    post.wait(seconds=1)
    second = post.put()
    post.deliver()
    assert letter(first).state == "unsure"
    assert letter(second).state == "sent"
    assert [row.id for row in unsure()] == [first]
    post.wait(days=30)
    post.deliver()
    assert len(peer.mailbox.taken) == taken + 1


def test_a_break_before_the_letter_was_offered_is_tried_again(post, peer):
    peer.mailbox.answers["RCPT"] = ["drop", "250 OK"]
    one = post.put()
    post.deliver()
    assert letter(one).state == "queued"
    post.wait(minutes=2)
    post.deliver()
    assert letter(one).state == "sent"
    assert len(peer.mailbox.taken) == 1


@pytest.mark.parametrize(
    ("outcome", "state", "taken"), [("sent", "sent", 0), ("send_again", "sent", 1)]
)
def test_a_person_resolves_the_unsure(post, peer, outcome, state, taken):
    peer.mailbox.answers["DATA"] = ["drop", "250 OK"]
    one = post.put()
    post.deliver()
    known = {"message": one, "outcome": outcome, "actor": post.actor, "now": post.clock.now()}
    resolve_unsure(note="they telephoned", **known)
    post.deliver()
    assert (letter(one).state, len(peer.mailbox.taken)) == (state, taken)
    assert entries(action="notifications.resolve_unsure")[0].subject == f"message:{one}"


def test_what_a_crash_left_is_listed_not_sent(post, peer):
    one = post.put()
    Message.objects.filter(pk=one).update(state="sending", handed_at=post.clock.now())
    known = {"actor": post.actor}
    assert list_left_messages(now=post.clock.now() + timedelta(minutes=3), **known) == 0
    assert list_left_messages(now=post.clock.now() + timedelta(minutes=5), **known) == 1
    assert "never noted" in letter(one).reason
    post.deliver()
    assert peer.mailbox.taken == []


def test_a_clock_set_back_ten_days_strands_nothing(post, peer):
    left, due = post.put(), post.put()
    Message.objects.filter(pk=left).update(state="sending", handed_at=post.clock.now())
    post.wait(days=-10)
    assert list_left_messages(actor=post.actor, now=post.clock.now()) == 1
    post.deliver()
    assert (letter(left).state, letter(due).state) == ("unsure", "sent")


def test_a_slow_sender_still_tells_the_truth_unless_a_person_was_faster(post, peer, monkeypatch):
    from muhafiz.notifications.channels.smtp import SmtpSession

    ids = [post.put(), post.put()]

    def slow(self, envelope, content):
        post.wait(minutes=10)
        list_left_messages(actor=post.actor, now=post.clock.now())
        row = Message.objects.get(message_id=envelope.message_id)
        assert row.state == "unsure"
        if row.pk == ids[1]:
            resolve_unsure(
                message=row.pk, outcome="sent", note="x", actor=post.actor, now=post.clock.now()
            )
            return Outcome("temporary", "broke")
        return Outcome("sent", "250 OK")

    monkeypatch.setattr(SmtpSession, "hand_over", slow)
    post.deliver()
    assert [letter(one).state for one in ids] == ["sent", "sent"]


def test_recalled_or_retired_letters_are_stopped_at_the_door(post, peer):
    recalled = post.put()
    recall_item(
        item_kind="notice", identifier="N-1", reason="x", actor=post.actor, now=post.clock.now()
    )
    retired = post.put(recipient_address="gone@org.example")
    retire_address(address="gone@org.example", reason="x", actor=post.actor, now=post.clock.now())
    fine = post.put(recipient_address="fine@org.example")
    post.deliver()
    assert [letter(one).state for one in (recalled, retired, fine)] == ["cancelled", "held", "sent"]
    assert len(peer.mailbox.taken) == 1


def test_damaged_bytes_are_not_sent_and_stop_nobody(post, peer):
    ids = [post.put() for _ in range(3)]
    MessageBytes.objects.filter(message_id=ids[0]).update(compressed=b"junk")
    stored = MessageBytes.objects.get(message_id=ids[2])
    MessageBytes.objects.filter(message_id=ids[1]).update(compressed=bytes(stored.compressed))
    post.deliver()
    assert [letter(one).state for one in ids] == ["failed", "failed", "sent"]
    assert len(peer.mailbox.taken) == 1


def test_cancelling_the_job_leaves_nothing_half_done(post, peer):
    for _ in range(120):
        post.put()

    def cancelled(done):
        raise JobCancelled

    with pytest.raises(JobCancelled):
        deliver_due(actor=post.actor, clock=post.clock.now, progress=cancelled)
    states = {row.state for row in letters(limit=200)}
    assert states == {"sent", "queued"}
    assert len(peer.mailbox.taken) == len(letters(state="sent", limit=200))


def test_a_limit_is_kept(post, peer):
    for _ in range(3):
        post.put()
    assert post.deliver(limit=2).done == 2
    assert len(peer.mailbox.taken) == 2


def test_the_jobs_run(post, peer):
    post.put()
    deliver(JobRun("notifications.deliver", post.clock))
    list_left(JobRun("notifications.list_left", post.clock))
    assert len(peer.mailbox.taken) == 1


def test_without_a_channel_letters_stay_queued(post):
    one = post.put()
    assert chosen_channel() is None
    assert post.deliver().stopped == "no channel is configured"
    assert letter(one).state == "queued"


def test_the_demonstration_lane_reaches_nobody(post, settings):
    with served(Mailbox()) as found:
        settings.SMTP_URL = found.url
        settings.DEMONSTRATION = True
        settings.MAIL_FROM = ""
        assert chosen_channel().name == "folder"
        ids = [post.put(text="خط\n") for _ in range(3)]
        assert post.deliver().counts["sent"] == 3
        assert found.mailbox.connections == 0
    files = sorted(Path(settings.LETTERS).iterdir())
    assert sorted(path.read_bytes() for path in files) == sorted(map(letter_bytes, ids))
    assert all(path.suffix == ".eml" for path in files)
    assert letter(ids[0]).channel == "folder"


def test_outside_the_demonstration_lane_the_folder_is_never_chosen(settings):
    assert channels.channels()["folder"].configured()
    assert chosen_channel() is None
    assert set(channels.channels()) >= {"folder", "smtp"}


def test_a_folder_that_cannot_be_written_is_a_channel_at_rest(post, settings, tmp_path):
    settings.DEMONSTRATION = True
    (tmp_path / "file").write_text("")
    settings.LETTERS = tmp_path / "file" / "letters"
    one = post.put()
    assert post.deliver().stopped
    assert letter(one).state == "queued"


def test_waits_grow_and_end(now):
    waits = [next_attempt(n, now) for n in range(1, MOST_ATTEMPTS)]
    assert all(wait is not None for wait in waits)
    assert sorted(waits) == waits
    assert next_attempt(MOST_ATTEMPTS, now) is None
    assert channel_rest(10**6) == LONGEST_REST
    assert is_rest_over(None, now)
    assert not is_rest_over(now + timedelta(minutes=1), now)
    assert is_rest_over(now + timedelta(days=10), now)
    assert was_left(now - timedelta(minutes=5), now)
    assert not was_left(now - timedelta(minutes=3), now)
    assert was_left(now + timedelta(days=10), now)


@pytest.mark.parametrize(
    ("words", "dead"),
    [
        ("550 5.1.1 whatever", True),
        ("550 User unknown", True),
        ("550 No such user here", True),
        ("550 5.1.10 RecipientNotFound", True),
        ("550 Requested action not taken: mailbox unavailable", True),
        ("550 5.7.1 user unknown to policy", False),
        ("552 5.2.2 mailbox full", False),
        ("550 blocked by list", False),
        ("554 5.7.1 Relay access denied", False),
    ],
)
def test_which_answers_mean_that_an_address_is_dead(words, dead):
    assert address_is_dead(status_in(words), words) is dead
