"""A notice is taken back: nobody gets it any more, and everybody who has it is told."""

from __future__ import annotations

import email
import email.policy
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction

from muhafiz.audit.actions.entries import record_entry
from muhafiz.constituency.actions.contacts import ContactDetails, change_contact
from muhafiz.detection import queries
from muhafiz.detection.actions.notices import send_due_notices
from muhafiz.detection.actions.recalling import recall_notice
from muhafiz.detection.actions.resending import CannotLetGo, release_notice, send_stranded
from muhafiz.detection.own_notices import own_notice, own_notices
from muhafiz.notifications import queries as post
from muhafiz.notifications.actions.addresses import retire_address
from muhafiz.notifications.actions.delivery import deliver_due
from muhafiz.notifications.actions.letters import mend_held
from muhafiz.notifications.models import Message
from muhafiz.publications.queries import release_of, verify
from muhafiz.release.actions.recall import CannotRecall
from muhafiz.release.queries import decision, decisions, holders_of
from tests.detection.given import event

pytestmark = pytest.mark.django_db
WHY = "The network was another's.\nSorry."


def parsed(raw: bytes):
    return email.message_from_bytes(raw, policy=email.policy.default)


def test_who_was_told_is_told_again_and_who_was_not_hears_nothing(
    *, owner, arrive, policy, send, peer, contact, actor, now, clock
):
    bank = owner("Alpha Bank", contact=False)
    for name, language in (("one", "en"), ("two", "ur"), ("three", "en")):
        contact(bank, name, language=language)
    policy()
    arrive([event(bank)])
    send()
    [notice] = queries.notices()
    deliver_due(actor=actor, clock=clock.now, limit=2)
    reached = {address for address, _ in peer.mailbox.taken}
    assert len(reached) == 2
    assert recall_notice(notice_id=notice.id, reason=WHY, actor=actor, now=now) == 2
    peer.mailbox.taken.clear()
    deliver_due(actor=actor, clock=clock.now)
    again = dict(peer.mailbox.taken)
    assert set(again) == reached
    for raw in again.values():
        message = parsed(raw)
        text = message.get_body(("plain",)).get_content()
        assert notice.number in message["Subject"]
        assert notice.number in text
        assert "The network was another's. Sorry." in text
        assert notice.verify_code in text
        assert not list(message.iter_attachments())
    languages = {parsed(raw)["Content-Language"] for raw in again.values()}
    assert languages <= {"en", "ur"}
    assert sorted(each.state for each in post.letters()) == ["cancelled", *["sent"] * 4]


def test_the_ledger_the_press_and_the_portal_say_so(*, owner, arrive, policy, send, actor, now):
    bank = owner("Alpha Bank")
    policy()
    arrive([event(bank)])
    send()
    [notice] = queries.notices()
    kept = release_of(notice.number)
    assert kept == release_of(notice.verify_code.lower())
    assert decision(kept).item_identifier == str(notice.public_id)
    recall_notice(notice_id=notice.id, reason=WHY, actor=actor, now=now)
    [holder] = holders_of("notice", str(notice.public_id))
    assert holder.recall_reason == "The network was another's. Sorry."
    verdict = verify(notice.verify_code)
    assert (verdict.outcome, verdict.number) == ("withdrawn", notice.number)
    assert [each.id for each in decisions(recalled=True)] == [holder.id]
    assert [each.id for each in decisions(notice.digest)] == [holder.id]
    assert [each.id for each in decisions("alpha ba")] == [holder.id]
    assert decisions("nothing of the kind") == []
    [shown] = own_notices(viewer=actor)
    assert (shown.state, shown.number) == ("cancelled", notice.number)


def test_what_is_taken_back_stays_so(*, owner, arrive, policy, send, actor, now, clock, contact):
    bank = owner("Alpha Bank")
    policy()
    arrive([event(bank)])
    send()
    [notice] = queries.notices()
    with pytest.raises(CannotRecall, match="reason"):
        recall_notice(notice_id=notice.id, reason=" \n", actor=actor, now=now)
    recall_notice(notice_id=notice.id, reason=WHY, actor=actor, now=now)
    with pytest.raises(CannotRecall, match="cancelled"):
        recall_notice(notice_id=notice.id, reason=WHY, actor=actor, now=now)
    with pytest.raises(CannotLetGo):
        release_notice(notice_id=notice.id, actor=actor, now=now)
    contact(bank, "new")
    assert send_stranded(actor=actor, now=now) == 0
    assert send_due_notices(actor=actor, clock=clock).notices == 0
    assert {each.state for each in post.letters()} == {"cancelled"}


def test_the_withdrawal_goes_where_the_contact_is_now(
    *, owner, arrive, policy, send, peer, contact, actor, now, clock
):
    bank = owner("Alpha Bank", contact=False)
    changed = contact(bank, "old")
    policy()
    arrive([event(bank)])
    send()
    deliver_due(actor=actor, clock=clock.now)
    details = ContactDetails("new@org.example", "abuse")
    change_contact(contact_id=changed, details=details, actor=actor, now=now)
    [notice] = queries.notices()
    recall_notice(notice_id=notice.id, reason=WHY, actor=actor, now=now)
    deliver_due(actor=actor, clock=clock.now)
    assert [address for address, _ in peer.mailbox.taken] == [
        "old@org.example", "new@org.example",
    ]  # fmt: skip


def test_who_got_it_at_another_address_is_told_there(
    *, owner, arrive, policy, send, peer, contact, actor, now, clock
):
    """A person sent the held letter to an address of their choosing; two contacts have one box."""
    bank = owner("Alpha Bank", contact=False)
    for name in ("one", "two"):
        contact(bank, name)
    policy()
    arrive([event(bank)])
    send()
    [notice] = queries.notices()
    for each in post.letters():
        retire_address(address=each.address, reason="full", actor=actor, now=now)
    deliver_due(actor=actor, clock=clock.now)
    for each, chosen in zip(post.letters(), ("chosen", "Chosen"), strict=True):
        mend_held(message=each.id, address=f"{chosen}@org.example", actor=actor, now=now)
    deliver_due(actor=actor, clock=clock.now)
    assert [address.lower() for address, _ in peer.mailbox.taken] == ["chosen@org.example"] * 2
    peer.mailbox.taken.clear()
    assert recall_notice(notice_id=notice.id, reason=WHY, actor=actor, now=now) == 1
    deliver_due(actor=actor, clock=clock.now)
    assert [address.lower() for address, _ in peer.mailbox.taken] == ["chosen@org.example"]


def test_the_portal_opens_only_letters_that_left(
    *, owner, arrive, policy, send, peer, contact, actor, now, clock
):
    """What was stopped in time is nobody's to read: it may be another's."""
    bank = owner("Alpha Bank", contact=False)
    for name in ("one", "two"):
        contact(bank, name)
    policy()
    arrive([event(bank)])
    send()
    deliver_due(actor=actor, clock=clock.now, limit=1)
    [notice] = queries.notices()
    assert len(own_notice(notice.public_id, viewer=actor).letters) == 2
    recall_notice(notice_id=notice.id, reason=WHY, actor=actor, now=now)
    [seen] = own_notice(notice.public_id, viewer=actor).letters
    assert post.letter(seen.message_id).state == "sent"


def test_the_withdrawal_names_the_day_of_the_letter(
    *, owner, arrive, policy, send, peer, contact, actor, now, clock
):
    """The notice waited four days for a contact."""
    bank = owner("Alpha Bank", contact=False)
    policy()
    arrive([event(bank)])
    send()
    clock.advance(timedelta(days=4))
    contact(bank, "new")
    assert send_stranded(actor=actor, now=clock.now()) == 1
    deliver_due(actor=actor, clock=clock.now)
    [notice] = queries.notices()
    recall_notice(notice_id=notice.id, reason=WHY, actor=actor, now=clock.now())
    deliver_due(actor=actor, clock=clock.now)
    first, withdrawal = (
        parsed(raw).get_body(("plain",)).get_content() for _, raw in peer.mailbox.taken
    )
    day = f"{clock.now():%Y-%m-%d}"
    assert f"Date: {day}" in first
    assert f"On {day}" in withdrawal


def test_a_contact_of_the_organization_above_is_told_where_it_is_now(
    *, owner, arrive, policy, send, peer, contact, actor, now, clock
):
    above = owner("Holding", contact=False)
    bank = owner("Alpha Bank", contact=False, parent_id=above)
    changed = contact(above, "old")
    policy()
    arrive([event(bank)])
    send()
    deliver_due(actor=actor, clock=clock.now)
    peer.mailbox.taken.clear()
    details = ContactDetails("new@org.example", "abuse")
    change_contact(contact_id=changed, details=details, actor=actor, now=now)
    [notice] = queries.notices()
    recall_notice(notice_id=notice.id, reason=WHY, actor=actor, now=now)
    deliver_due(actor=actor, clock=clock.now)
    assert [address for address, _ in peer.mailbox.taken] == ["new@org.example"]


def test_what_came_back_and_was_withdrawn_waits_for_nobody(
    *, owner, arrive, policy, send, peer, actor, now, clock
):
    bank = owner("Alpha Bank")
    policy()
    arrive([event(bank)])
    send()
    peer.mailbox.answers["RCPT"] = ["550 5.1.1 no such user here"]
    deliver_due(actor=actor, clock=clock.now)
    assert len(post.lost_letters(since=now)) == 1
    [notice] = queries.notices()
    assert recall_notice(notice_id=notice.id, reason=WHY, actor=actor, now=now) == 0
    assert post.lost_letters(since=now) == []
    assert post.undelivered("notice", since=now) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has one writer: nothing comes between"
)
def test_a_letter_claimed_at_that_moment_is_told_of(
    *, owner, arrive, policy, send, actor, now, contact
):
    """The delivery has locked the letter, and wants the audit log's lock next."""
    bank = owner("Alpha Bank", contact=False)
    for name in ("one", "two"):
        contact(bank, name)
    policy()
    arrive([event(bank)])
    send()
    [notice] = queries.notices()
    claimed = threading.Event()

    def deliver():
        with transaction.atomic():
            row = Message.objects.select_for_update(skip_locked=True).order_by("pk").last()
            claimed.set()
            _wait_for_a_waiter()
            row.state, row.handed_at = "sending", now
            row.save()
            record_entry(actor=actor, now=now, action="notifications.send_message", subject="m:1")
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        delivery = pool.submit(deliver)
        assert claimed.wait(10)
        assert recall_notice(notice_id=notice.id, reason=WHY, actor=actor, now=now) == 1
        delivery.result()
    states = [(each.policy, each.state) for each in post.letters()]
    assert sorted(states) == [("all", "cancelled"), ("all", "sending"), ("recall", "queued")]


def _wait_for_a_waiter() -> None:
    with connection.cursor() as cursor:
        for _ in range(500):
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
            time.sleep(0.01)
