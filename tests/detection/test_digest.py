"""The digest: who is told what, once."""

from __future__ import annotations

import csv
import email
import email.policy
import io
import json
from datetime import timedelta

import pytest

from muhafiz.detection import queries
from muhafiz.feeds.sources import ParseContext, xarf
from muhafiz.notifications import queries as post
from tests.detection.given import event

pytestmark = pytest.mark.django_db


def mail(notice):
    """The messages of a notice as parsed mail."""
    return [
        email.message_from_bytes(post.letter_bytes(each.message_id), policy=email.policy.default)
        for each in notice.letters
    ]


def text_of(message) -> str:
    return message.get_body(("plain",)).get_content()


def table_of(message) -> list[dict[str, str]]:
    [attachment] = [a for a in message.iter_attachments() if a.get_content_type() == "text/csv"]
    content = attachment.get_content()
    text = content if isinstance(content, str) else content.decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_each_owner_gets_one_letter_with_its_own_rows(owner, arrive, policy, send):
    first, second = owner("Alpha Bank"), owner("Beta Telecom", language="ur")
    policy()
    arrive([event(first, n) for n in range(3)] + [event(second, 100 + n) for n in range(14)])
    sent = send()
    assert (sent.gathered, sent.runs, sent.notices) == (17, 1, 2)
    for notice in queries.notices():
        [message] = mail(notice)
        rows = table_of(message)
        hosts = range(3) if notice.organization_id == first else range(100, 114)
        assert {row["source_ip"] for row in rows} == {f"198.51.100.{n}" for n in hosts}
        assert notice.number in message["Subject"]
        assert notice.verify_code in text_of(message)
        assert notice.events == len(rows) == len(queries.notice_rows(notice.id))


def test_nothing_is_told_twice_and_an_owner_of_nothing_gets_nothing(owner, arrive, policy, send):
    first, _ = owner("Alpha Bank"), owner("Beta Telecom")
    policy()
    arrive([event(first), event(None, 9)])
    assert send().notices == 1
    assert send().notices == 0
    assert len(queries.notices()) == 1
    assert len(post.letters()) == 1


def test_an_event_that_arrives_late_is_told_once(owner, arrive, policy, send, clock):
    first = owner("Alpha Bank")
    policy(cadence="daily")
    arrive([event(first, 1)])
    assert send().notices == 0  # today's window is open
    clock.advance(timedelta(days=1))
    assert send().notices == 1
    old = {"time_source": clock.now() - timedelta(days=40)}
    arrive([event(first, 2, **old)], report=2)  # the source speaks of last month
    assert send().notices == 0
    clock.advance(timedelta(days=1))
    assert send().notices == 1
    clock.advance(timedelta(days=1))
    assert send().notices == 0
    told = [row["source_ip"] for n in queries.notices() for row in queries.notice_rows(n.id)]
    assert sorted(told) == ["198.51.100.1", "198.51.100.2"]


def test_a_report_that_is_still_being_read_is_told_in_parts(owner, arrive, policy, send):
    first = owner("Alpha Bank")
    policy()
    arrive([event(first, 1), event(first, 2)], batch=1)
    assert send().gathered == 2
    arrive([event(first, 3)], batch=2)
    assert send().gathered == 1
    told = [row["source_ip"] for n in queries.notices() for row in queries.notice_rows(n.id)]
    assert sorted(told) == ["198.51.100.1", "198.51.100.2", "198.51.100.3"]


def test_a_lasting_finding_is_told_again_only_after_its_days(owner, arrive, policy, send, clock):
    first = owner("Alpha Bank")
    policy(cadence="daily", resend_days=3)
    told = []
    for day in range(8):
        seen = {"time_source": clock.now(), "time_observation": clock.now()}
        arrive([event(first, 1, **seen)], report=day + 1)
        clock.advance(timedelta(days=1))
        told.append(send().notices)
    assert told == [1, 0, 0, 1, 0, 0, 1, 0]
    latest = queries.notices()[0]
    assert queries.notice_rows(latest.id)[0]["first_told"] is not None
    [message] = mail(latest)
    assert "Already in an earlier letter, and lasting still: 1" in text_of(message)


def test_below_the_threshold_rows_are_carried_until_it_is_reached(
    owner, arrive, policy, send, clock
):
    first, second = owner("Alpha Bank"), owner("Beta Telecom")
    policy(cadence="daily", threshold=3)
    arrive([event(first, 1), event(first, 2), *(event(second, 10 + n) for n in range(3))])
    clock.advance(timedelta(days=1))
    assert send().notices == 1
    arrive([event(first, 3)], report=2)
    clock.advance(timedelta(days=1))
    assert send().notices == 1
    notice = queries.notices(organization_id=first)[0]
    assert {row["source_ip"] for row in queries.notice_rows(notice.id)} == {
        f"198.51.100.{n}" for n in (1, 2, 3)
    }
    clock.advance(timedelta(days=1))
    assert send().notices == 0


def test_who_has_no_contact_is_listed_and_told_when_there_is_one(
    *, owner, arrive, policy, send, actor, now
):
    from muhafiz.constituency.actions.contacts import ContactDetails, add_contact
    from muhafiz.detection.actions.resending import send_stranded

    first = owner("Alpha Bank", contact=False)
    policy()
    arrive([event(first)])
    assert send().undeliverable == 1
    [listed] = queries.undeliverable()
    assert (listed.reason, listed.number, listed.events) == ("no contact", "", 1)
    assert send_stranded(actor=actor, now=now) == 0
    add_contact(
        organization_id=first,
        details=ContactDetails(role="abuse", address="abuse@alpha.example"),
        actor=actor,
        now=now,
    )
    assert send_stranded(actor=actor, now=now) == 1
    assert send_stranded(actor=actor, now=now) == 0
    [notice] = queries.notices()
    assert notice.state == "released"
    assert len(table_of(mail(notice)[0])) == 1


@pytest.mark.parametrize("label", ["RED", None, "PURPLE"])
def test_a_red_or_unlabeled_row_leaves_in_no_letter(label, owner, arrive, policy, send):
    first = owner("Alpha Bank")
    policy()
    arrive([event(first, 1), event(first, 66, tlp=label)])
    sent = send()
    assert (sent.notices, sent.refused) == (1, 1)
    [refused] = queries.notices(state="refused")
    assert "TLP:RED" in refused.reason
    assert refused.number == ""
    [released] = queries.notices(state="released")
    assert {row["source_ip"] for row in queries.notice_rows(released.id)} == {"198.51.100.1"}
    assert b"198.51.100.66" not in mail(released)[0].as_bytes()
    assert [row["source_ip"] for row in queries.notice_rows(refused.id)] == ["198.51.100.66"]


def test_an_inhibition_keeps_its_class_out_of_letters(*, owner, arrive, policy, send, actor, now):
    from muhafiz.constituency.actions.inhibitions import inhibit_letters

    first = owner("Alpha Bank")
    inhibit_letters(
        organization_id=first,
        classes="potentially-unwanted-accessible",
        until=now + timedelta(days=2),
        reason="They know.",
        actor=actor,
        now=now,
    )
    policy()
    spam = {"classification_taxonomy": "abusive-content", "classification_type": "spam"}
    arrive([event(first, 1), event(first, 2, **spam)])
    assert send().notices == 1
    [notice] = queries.notices()
    assert notice.classes == {"abusive-content/spam": 1}
    assert queries.runs()[0].decisions == {"inhibited": 1, "tell": 1}


def test_the_letter_is_as_strict_as_its_strictest_row(owner, arrive, policy, send):
    first = owner("Alpha Bank")
    policy(tlp="GREEN")
    arrive([event(first, 1, tlp="CLEAR"), event(first, 2, tlp="AMBER+STRICT")])
    send()
    assert queries.notices()[0].tlp == "AMBER+STRICT"


def test_events_without_a_policy_wait_for_one(owner, arrive, policy, send):
    first = owner("Alpha Bank")
    policy("phishing", classes="fraud/*")
    arrive([event(first)])
    assert send().notices == 0
    assert queries.waiting_events() == {"": 1}
    policy("rest")
    assert send().notices == 1
    assert queries.waiting_events() == {}


def test_ending_a_policy_hands_its_events_to_the_others(
    *, owner, arrive, policy, send, actor, now, clock
):
    from muhafiz.detection.actions.policies import end_policy

    first = owner("Alpha Bank")
    policy("telnet", feed="scan_telnet", cadence="weekly")
    arrive([event(first)])
    send()
    end_policy(code="telnet", reason="too slow", actor=actor, now=now)
    policy("rest")
    assert send().notices == 1


def test_send_now_takes_ahead_and_nothing_is_told_again(
    *, owner, arrive, policy, send, actor, clock
):
    from muhafiz.detection.actions.notices import NothingToSend, send_now

    first, second = owner("Alpha Bank"), owner("Beta Telecom")
    policy(cadence="daily", threshold=2)
    arrive([event(first, 1), event(second, 2), event(second, 3)])
    [early] = send_now(organization_id=first, actor=actor, clock=clock)
    assert queries.notice(early).state == "released"
    with pytest.raises(NothingToSend):
        send_now(organization_id=first, actor=actor, clock=clock)
    clock.advance(timedelta(days=1))
    assert send().notices == 1
    assert sorted(n.organization_id for n in queries.notices()) == [first, second]


def test_a_held_notice_stays_until_it_is_let_go(*, owner, arrive, policy, send, actor, now):
    from muhafiz.detection.actions.resending import CannotHold, hold_notice, release_notice

    first = owner("Alpha Bank")
    policy()
    arrive([event(first)])
    send()
    [notice] = queries.notices()
    hold_notice(notice_id=notice.id, reason="Ask them first.", actor=actor, now=now)
    assert {letter.state for letter in post.letters()} == {"cancelled"}
    with pytest.raises(CannotHold):
        hold_notice(notice_id=notice.id, reason="Again.", actor=actor, now=now)
    release_notice(notice_id=notice.id, actor=actor, now=now)
    again = queries.notice(notice.id)
    assert (again.state, again.number, again.verify_code) == (
        "released",
        notice.number,
        notice.verify_code,
    )
    assert sorted(letter.state for letter in post.letters()) == ["cancelled", "queued"]


def test_a_preview_shows_the_letters_and_writes_nothing(owner, arrive, policy, send, now):
    first, second = owner("Alpha Bank"), owner("Beta Telecom", contact=False)
    policy(cadence="weekly")
    arrive([event(first, 1), event(second, 2)])
    preview = queries.preview_notices(at=now)
    assert preview.letters == 2
    assert preview.decisions == {"tell": 2}
    assert [n.would_be for n in preview.notices] == ["released", "undeliverable"]
    assert "198[.]51[.]100[.]1" in preview.notices[0].text
    assert "198[.]51[.]100[.]2" not in preview.notices[0].text
    assert queries.notices() == []
    assert queries.waiting_events() == {}
    send()
    assert queries.preview_notices(at=now).decisions == {"tell": 2}  # now from the pools


def test_a_simulation_replays_the_past_days(owner, arrive, policy, now):
    from muhafiz.detection.rules import Policy

    first = owner("Alpha Bank")
    for day in range(4):
        seen = now - timedelta(days=4 - day)
        arrive([event(first, 1, time_source=seen, time_observation=seen)], report=day + 1)
    tried = Policy("try", "daily", resend_days=2)
    windows = queries.simulate(tried, since=now - timedelta(days=5), until=now)
    assert [w.letters for w in windows if w.decisions] == [1, 0, 1, 0]
    assert queries.notices() == []


def test_the_event_knows_the_notice_that_told_it(*, owner, arrive, policy, send, now, monkeypatch):
    first = owner("Alpha Bank")
    policy()
    arrive([event(first)])
    send()
    [notice] = queries.notices()
    key = queries.notice_rows(notice.id)[0]["key"]
    assert [n.id for n in queries.notices_of_event(key=key, organization_id=first)] == [notice.id]
    monkeypatch.setattr(queries, "_NOTICES_SEARCHED", 1)
    arrive([event(first, 2)], batch=2)
    send()
    told = {"key": key, "organization_id": first}
    assert queries.notices_of_event(**told) == []  # not among the latest
    assert [n.id for n in queries.notices_of_event(**told, received_at=now)] == [notice.id]
    assert queries.notices_of_event(key=key + 1, organization_id=first) == []
    assert queries.notices_of_event(key=key, organization_id=None) == []


def test_xarf_goes_with_the_letters_of_those_who_want_it(owner, arrive, policy, send):
    first, second = owner("Alpha Bank"), owner("Beta Telecom", language="ur")
    policy("machine", organization_id=first, attach_xarf=True)
    policy()
    arrive([event(first, n) for n in range(3)] + [event(second, 9)])
    send()
    for notice in queries.notices():
        [message] = mail(notice)
        names = [part.get_filename() for part in message.iter_attachments()]
        slug = notice.number.replace("/", "-")
        if notice.organization_id == second:
            assert names == [f"{slug}.csv"]
            continue
        assert names == [f"{slug}.csv", f"{slug}.xarf.json"]
        _, attached = message.iter_attachments()
        assert attached.get_content_type() == "application/json"
        found = json.loads(attached.get_content())
        assert [each["source_identifier"] for each in found] == [
            row["source_ip"] for row in table_of(message)
        ]
        assert {each["category"] for each in found} == {"vulnerability"}
        assert f"{slug}.xarf.json" in text_of(message)
        # The house can read what it sends.
        context = ParseContext("a.xarf.json", notice.created_at, 100, {})
        batches = list(xarf.SOURCE.parse(io.BytesIO(attached.get_content()), context))
        assert sum(batch.events.num_rows for batch in batches) == len(found)
        assert sum(batch.set_aside.num_rows for batch in batches) == 0
