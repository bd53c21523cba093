"""Findings: counted once whatever happens on the way, answered by their owners alone."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from muhafiz.accounts.rules import NotAllowed
from muhafiz.common.actor import Actor
from muhafiz.detection import queries
from muhafiz.detection.actions.exposure import gather_findings
from muhafiz.detection.actions.findings import (
    judge_not_ours,
    respond_to_finding,
    respond_to_findings,
)
from muhafiz.detection.finding_rules import BadResponse, CannotJudge, CannotRespond, NoSuchFinding
from muhafiz.detection.models import Finding, FindingDay, GatheredDay
from tests.detection.given import NOON, event

pytestmark = pytest.mark.django_db
JOB = Actor.job("detection.gather_findings")
DESK = Actor("person", "1", "Duty Officer", frozenset({"duty_officer"}))


def of(owner: int) -> Actor:
    return Actor("person", "9", "Owner", frozenset({"constituent_officer"}), owner)


def gather(now):
    return gather_findings(actor=JOB, now=now)


def one(owner: int):
    (found,) = queries.findings(viewer=of(owner))
    return found


def answer(owner: int, response: str, now, **more):
    found = one(owner)
    respond_to_finding(finding_id=found.id, response=response, actor=of(owner), now=now, **more)


def test_one_finding_for_an_owner_and_an_identifier(owner, arrive, now):
    mine, theirs = owner("Indus Power"), owner("Quetta Water")
    arrive(
        [
            event(mine, 1),
            event(mine, 2, severity="critical"),
            event(mine, 3, classification_identifier="open-vnc", severity=None),
            event(theirs, 4),
            event(None, 5),
        ]
    )
    done = gather(now)
    assert (done.days, done.findings, done.new) == (1, 3, 3)
    worst, other = queries.findings(viewer=of(mine))
    assert (worst.identifier, worst.severity, worst.assets, worst.events) == (
        "open-telnet", "critical", 2, 2,
    )  # fmt: skip
    assert (other.identifier, other.severity) == ("open-vnc", "medium")  # as usual
    assert worst.state == "open"
    assert worst.tlp == "AMBER"
    assert len(queries.findings(viewer=DESK)) == 3


def test_twice_is_once(owner, arrive, now):
    mine = owner("Indus Power")
    arrive([event(mine, 1), event(mine, 2)])
    gather(now)
    before = list(Finding.objects.values()), list(FindingDay.objects.values())
    again = gather(now)
    assert (again.days, again.findings) == (0, 0)
    GatheredDay.objects.all().delete()  # as if the marks had been lost
    gather(now)
    days = [{k: v for k, v in row.items() if k != "id"} for row in FindingDay.objects.values()]
    assert list(Finding.objects.values()) == before[0]
    assert days == [{k: v for k, v in row.items() if k != "id"} for row in before[1]]


def test_killed_before_the_commit_nothing_is_lost(owner, arrive, now, monkeypatch):
    mine = owner("Indus Power")
    arrive([event(mine, 1)])
    with monkeypatch.context() as broken:
        broken.setattr(
            "muhafiz.detection.actions.exposure.record_entry",
            lambda **_: (_ for _ in ()).throw(KeyboardInterrupt),
        )
        with pytest.raises(KeyboardInterrupt):
            gather(now)
    assert not Finding.objects.exists()
    assert not GatheredDay.objects.filter(version__gte=0).exists()
    assert gather(now).new == 1


def test_late_batches_and_older_days_are_added(owner, arrive, now):
    mine = owner("Indus Power")
    arrive([event(mine, 1)])
    gather(now)
    arrive([event(mine, 2)], batch=2)
    arrive([event(mine, 1, time_source=NOON - timedelta(days=3))], report=2)
    gather(now)
    found = one(mine)
    assert (found.events, found.assets) == (3, 2)
    assert found.first_seen == NOON - timedelta(days=3)
    assert FindingDay.objects.count() == 2


def test_what_may_leave_by_no_door_is_no_finding(owner, arrive, now):
    mine = owner("Indus Power")
    arrive([event(mine, 1, tlp="RED"), event(mine, 2, tlp=None)])
    gather(now)
    assert queries.findings(viewer=of(mine)) == []
    arrive([event(mine, 3)], batch=2)
    gather(now)
    found = one(mine)
    assert (found.events, found.assets) == (1, 1)
    shown = queries.finding_assets(found.id, viewer=of(mine), now=now)
    assert [each.address for each in shown] == ["198.51.100.3"]


def test_fixed_and_seen_later_opens_again_with_its_history(owner, arrive, now):
    mine = owner("Indus Power")
    arrive([event(mine, 1)])
    gather(now)
    answer(mine, "fixed", now)
    arrive([event(mine, 2)], batch=2)  # seen before the answer: no reason to doubt it
    gather(now + timedelta(minutes=1))
    assert one(mine).state == "fixed"
    later = now + timedelta(hours=20)
    arrive([event(mine, 1, time_source=now + timedelta(hours=2))], report=2)
    gather(later)
    found = one(mine)
    assert (found.state, found.reopened) == ("open", 1)
    kinds = [each.kind for each in queries.finding_history(found.id, viewer=of(mine))]
    assert kinds == ["seen_again", "fixed"]


def test_a_further_sighting_of_the_same_event_opens_it_too(owner, arrive, now):
    mine = owner("Indus Power")
    arrive([event(mine, 1, time_source=now - timedelta(hours=1))])
    gather(now)
    answer(mine, "fixed", now)
    arrive([event(mine, 1, time_source=now + timedelta(hours=1))], report=2)
    gather(now + timedelta(hours=2))
    assert one(mine).state == "open"


def test_an_exception_ends_on_its_day(owner, arrive, now):
    mine = owner("Indus Power")
    arrive([event(mine, 1)])
    gather(now)
    until = date(2026, 11, 27)
    answer(mine, "except", now, until=until, reason="replaced this week")
    gather(now + timedelta(days=3, hours=9))  # still the 26th in Karachi
    assert one(mine).state == "excepted"
    gather(now + timedelta(days=3, hours=11))  # the 27th in Karachi, the 26th in UTC
    assert (one(mine).state, one(mine).until) == ("open", None)


def test_what_is_not_seen_any_more_goes_quiet_and_comes_back(owner, arrive, now):
    mine = owner("Indus Power")
    arrive([event(mine, 1)])
    gather(now)
    later = now + timedelta(days=20)
    gather(later)
    assert one(mine).state == "quiet"
    with pytest.raises(CannotRespond):
        answer(mine, "acknowledge", later)
    arrive([event(mine, 1, time_source=later - timedelta(days=1))], report=2)
    gather(later + timedelta(hours=1))
    assert one(mine).state == "open"


def test_not_ours_is_judged(owner, arrive, now):
    mine = owner("Indus Power")
    arrive([event(mine, 1)])
    gather(now)
    with pytest.raises(BadResponse):
        answer(mine, "not_ours", now)
    answer(mine, "not_ours", now, reason="sold in May")
    found = one(mine)
    assert (found.state, found.review) == ("not_ours", "waiting")
    assert queries.findings(viewer=DESK, review="waiting") == [found]
    with pytest.raises(NotAllowed):
        judge_not_ours(finding_id=found.id, accepted=True, reason="yes", actor=of(mine), now=now)
    judge_not_ours(finding_id=found.id, accepted=False, reason="yours", actor=DESK, now=now)
    assert (one(mine).state, one(mine).review) == ("open", "rejected")
    with pytest.raises(CannotJudge):
        judge_not_ours(finding_id=found.id, accepted=True, reason="x", actor=DESK, now=now)
    answer(mine, "not_ours", now, reason="really not")
    judge_not_ours(finding_id=found.id, accepted=True, reason="agreed", actor=DESK, now=now)
    assert (one(mine).state, one(mine).review) == ("not_ours", "accepted")


def test_accepting_ends_only_the_owners_claims(owner, arrive, now):
    from muhafiz.constituency.actions.claims import add_claim
    from muhafiz.constituency.queries import claims

    mine, theirs = owner("Indus Power"), owner("Quetta Water")
    told = {"actor": DESK, "now": now}
    own = add_claim(organization_id=mine, kind="address", value="198.51.100.0/24", **told)
    other = add_claim(organization_id=theirs, kind="address", value="203.0.113.0/24", **told)
    arrive([event(mine, 1)])
    gather(now)
    answer(mine, "not_ours", now, reason="sold")
    judge_not_ours(
        finding_id=one(mine).id, accepted=True, reason="agreed", end_claims=[own, other], **told
    )
    found = claims([own, other])
    assert found[own].valid_to == now.date()
    assert found[other].valid_to is None


def test_answers_to_assets_settle_the_finding_when_all_are_given(owner, arrive, now):
    mine = owner("Indus Power")
    arrive([event(mine, 1), event(mine, 2)])
    gather(now)
    answer(mine, "fixed", now, asset="198.51.100.1:23")
    assert one(mine).state == "open"
    answer(mine, "fixed", now, asset="198.51.100.2:23")
    assert one(mine).state == "fixed"
    assets = queries.finding_assets(one(mine).id, viewer=of(mine), now=now)
    assert {each.state for each in assets} == {"fixed"}
    later = now + timedelta(hours=3)
    arrive([event(mine, 3, time_source=now + timedelta(hours=1))], report=2)
    gather(later)
    assert one(mine).state == "open"
    assets = {a.address: a for a in queries.finding_assets(one(mine).id, viewer=DESK, now=later)}
    assert assets["198.51.100.1"].state == "fixed"
    assert assets["198.51.100.3"].state == "open"


def test_a_stranger_finds_nothing(owner, arrive, now):
    mine, theirs = owner("Indus Power"), owner("Quetta Water")
    arrive([event(mine, 1)])
    gather(now)
    found, stranger = one(mine), of(theirs)
    assert queries.findings(viewer=stranger) == []
    assert queries.finding(found.id, viewer=stranger) is None
    assert queries.finding_by_number(found.number, viewer=stranger) is None
    assert queries.finding_history(found.id, viewer=stranger) == []
    assert queries.finding_assets(found.id, viewer=stranger, now=now) == []
    assert queries.exposure_history(viewer=stranger, since=NOON.date()) == []
    with pytest.raises(NoSuchFinding):
        respond_to_finding(finding_id=found.id, response="acknowledge", actor=stranger, now=now)


def test_a_parents_people_see_what_is_below(owner, arrive, now):
    above = owner("University")
    below = owner("College", parent_id=above)
    arrive([event(below, 1)])
    gather(now)
    assert one(above).organization_id == below


def test_several_are_answered_together_or_none(owner, arrive, now):
    mine, theirs = owner("Indus Power"), owner("Quetta Water")
    arrive([event(mine, 1), event(mine, 2, classification_identifier="open-vnc"), event(theirs, 3)])
    gather(now)
    ids = [each.id for each in queries.findings(viewer=of(mine))]
    foreign = one(theirs).id
    with pytest.raises(NoSuchFinding):
        respond_to_findings(
            finding_ids=[*ids, foreign], response="acknowledge", actor=of(mine), now=now
        )
    assert {each.state for each in queries.findings(viewer=of(mine))} == {"open"}
    respond_to_findings(finding_ids=ids, response="acknowledge", actor=of(mine), now=now)
    assert {each.state for each in queries.findings(viewer=of(mine))} == {"acknowledged"}


def test_the_number_of_queries_does_not_grow_with_owners(owner, arrive, now):
    def asked(count: int, batch: int) -> int:
        owners = [owner(f"Owner {batch} {n}") for n in range(count)]
        rows = [event(each, batch * 50 + n) for n, each in enumerate(owners)]
        arrive(rows, batch=batch)
        with CaptureQueriesContext(connection) as captured:
            gather(now)
        return len(captured)

    asked(1, 1)
    few, many = asked(1, 2), asked(40, 3)
    assert many == few


def test_pages_follow_each_other(owner, arrive, now):
    mine = owner("Indus Power")
    arrive(
        [
            event(mine, n, classification_identifier=f"kind-{n}", severity=severity)
            for n, severity in enumerate(["low", "critical", None, "critical", "high"], 1)
        ]
    )
    gather(now)
    whole = [each.id for each in queries.findings(viewer=of(mine))]
    paged, mark = [], None
    while page := queries.findings(viewer=of(mine), before=mark, limit=2):
        paged += [each.id for each in page]
        mark = queries.finding_mark(page[-1])
    assert paged == whole
    assert len(whole) == 5


def test_what_is_excepted_stands_in_no_letter_until_its_day(
    *, owner, arrive, policy, send, clock, now
):
    mine, theirs = owner("Indus Power"), owner("Quetta Water")
    vnc = {"classification_identifier": "open-vnc"}
    policy(resend_days=0)
    arrive([event(mine, 1), event(mine, 2, **vnc), event(mine, 3, **vnc), event(theirs, 4)])
    gather(now)
    found = {each.identifier: each.id for each in queries.findings(viewer=of(mine))}
    told = {"response": "except", "until": date(2026, 11, 27), "reason": "known", "now": now}
    respond_to_finding(finding_id=found["open-telnet"], actor=of(mine), **told)
    respond_to_finding(
        finding_id=found["open-vnc"], asset="198.51.100.2:23", actor=of(mine), **told
    )
    assert send().notices == 2
    [notice] = queries.notices(organization_id=mine)
    assert [row["source_ip"] for row in queries.notice_rows(notice.id)] == ["198.51.100.3"]
    clock.advance(timedelta(days=5))
    again = clock.now() - timedelta(hours=4)
    arrive([event(mine, 1, time_source=again), event(mine, 2, time_source=again, **vnc)], report=2)
    send()
    latest = queries.notices(organization_id=mine)[0]
    rows = {row["source_ip"] for row in queries.notice_rows(latest.id)}
    assert rows == {"198.51.100.1", "198.51.100.2"}
