"""A notice is taken back: nobody gets it any more, and everybody who has it is told."""

from __future__ import annotations

import email
import email.policy

import pytest

from muhafiz.constituency.actions.contacts import ContactDetails, add_contact, change_contact
from muhafiz.detection import queries
from muhafiz.detection.actions.notices import send_due_notices
from muhafiz.detection.actions.recalling import recall_notice
from muhafiz.detection.actions.resending import CannotLetGo, release_notice, send_stranded
from muhafiz.detection.own_notices import own_notices
from muhafiz.notifications import queries as post
from muhafiz.notifications.actions.delivery import deliver_due
from muhafiz.publications.queries import release_of, verify
from muhafiz.release.actions.recall import CannotRecall
from muhafiz.release.queries import decision, decisions, holders_of
from tests.detection.given import event
from tests.notifications.peers import Mailbox, served

pytestmark = pytest.mark.django_db
WHY = "The network was another's.\nSorry."


@pytest.fixture
def peer(settings):
    with served(Mailbox()) as found:
        settings.SMTP_URL = found.url
        yield found


def parsed(raw: bytes):
    return email.message_from_bytes(raw, policy=email.policy.default)


def test_who_was_told_is_told_again_and_who_was_not_hears_nothing(
    *, owner, arrive, policy, send, peer, actor, now, clock
):
    bank = owner("Alpha Bank", contact=False)
    for name, language in (("one", "en"), ("two", "ur"), ("three", "en")):
        details = ContactDetails(f"{name}@alpha.example", "abuse", language=language)
        add_contact(organization_id=bank, details=details, actor=actor, now=now)
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


def test_what_is_taken_back_stays_so(*, owner, arrive, policy, send, actor, now, clock):
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
    details = ContactDetails("new@alpha.example", "abuse")
    add_contact(organization_id=bank, details=details, actor=actor, now=now)
    assert send_stranded(actor=actor, now=now) == 0
    assert send_due_notices(actor=actor, clock=clock).notices == 0
    assert {each.state for each in post.letters()} == {"cancelled"}


def test_the_withdrawal_goes_where_the_contact_is_now(
    *, owner, arrive, policy, send, peer, actor, now, clock
):
    bank = owner("Alpha Bank", contact=False)
    details = ContactDetails("old@alpha.example", "abuse")
    contact = add_contact(organization_id=bank, details=details, actor=actor, now=now)
    policy()
    arrive([event(bank)])
    send()
    deliver_due(actor=actor, clock=clock.now)
    details = ContactDetails("new@alpha.example", "abuse")
    change_contact(contact_id=contact, details=details, actor=actor, now=now)
    [notice] = queries.notices()
    recall_notice(notice_id=notice.id, reason=WHY, actor=actor, now=now)
    deliver_due(actor=actor, clock=clock.now)
    assert [address for address, _ in peer.mailbox.taken] == [
        "old@alpha.example", "new@alpha.example",
    ]  # fmt: skip
