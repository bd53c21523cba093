"""Windows under odd clocks, odd thresholds and damaged files: every event is told once all the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from muhafiz.detection import queries
from muhafiz.detection.actions import windows
from muhafiz.detection.actions.notices import DigestUnfinished, send_due_notices
from muhafiz.detection.actions.policies import write_policy
from muhafiz.detection.actions.windows import gather_arrivals
from muhafiz.detection.files import located
from muhafiz.detection.models import DigestRun, Pool
from muhafiz.detection.rules import Policy
from muhafiz.notifications import queries as post
from tests.detection.given import NOON, event

pytestmark = pytest.mark.django_db


def told() -> int:
    """Events in letters, each letter counted."""
    return sum(notice.events for notice in queries.notices(limit=1000) if notice.letters)


@pytest.mark.parametrize("first", [timedelta(days=10), timedelta(days=-10)])
def test_a_clock_that_was_wrong_by_ten_days_keeps_no_letter_back(
    *, owner, arrive, policy, send, clock, first
):
    """Wrong for three days, then right again (or the other way round): daily letters go on."""
    bank = owner("Alpha Bank")
    policy(cadence="daily")
    day = 0
    for jump in (timedelta(0), first, -first):
        clock.advance(jump)
        for _ in range(4):
            day += 1
            arrive([event(bank, day)], batch=day)
            send()
            clock.advance(timedelta(days=1))
    send()
    assert told() == day
    assert len(post.letters(limit=100)) == len(queries.notices(limit=100)) >= day - 3


def test_a_window_whose_name_comes_twice_sends_two_letters(owner, arrive, policy, send, clock):
    bank = owner("Alpha Bank")
    policy(cadence="daily", resend_days=0)
    for batch in (1, 2):
        arrive([event(bank, batch)], batch=batch)
        clock.advance(timedelta(days=1))
        send()
        clock.advance(timedelta(days=-1))
        send()  # the clock went back: the open window closes when its time comes
    clock.advance(timedelta(days=1))
    send()
    assert len(post.letters()) == 2
    assert len({run.window for run in queries.runs()}) == 2


def test_what_waits_for_its_threshold_makes_no_run_a_minute(owner, arrive, policy, send, clock):
    bank = owner("Alpha Bank")
    policy(threshold=3)
    arrive([event(bank)])
    for _ in range(5):
        send()
        clock.advance(timedelta(minutes=1))
    assert DigestRun.objects.count() == 1
    arrive([event(bank, 2), event(bank, 3)], batch=2)
    send()
    assert told() == 3


def test_a_lower_threshold_tells_what_waited(*, owner, arrive, policy, send, clock, actor):
    bank = owner("Alpha Bank")
    policy(threshold=3)
    arrive([event(bank)])
    send()
    write_policy(policy=Policy("all", "at_once"), title="All", actor=actor, now=clock.now())
    send()
    assert told() == 1


@pytest.mark.parametrize(
    ("before", "after", "due"),
    [
        ("weekly", "hourly", timedelta(0)),  # an hour has closed since Monday
        ("hourly", "weekly", timedelta(days=5)),
        ("daily", "at_once", timedelta(0)),
        ("at_once", "daily", timedelta(days=1)),
    ],
)
def test_a_policy_changed_within_its_window(  # noqa: PLR0917 - fixtures
    owner, arrive, send, clock, actor, before, after, due
):
    """What waits is told once, at the new version's time and under it."""
    bank = owner("Alpha Bank")
    clock.advance(timedelta(days=2))  # a Wednesday
    write_policy(policy=Policy("all", before), title="All", actor=actor, now=clock.now())
    arrive([event(bank)])
    if before != "at_once":
        send()
    assert told() == 0
    changed = Policy("all", after, tlp="AMBER+STRICT")
    write_policy(policy=changed, title="All", actor=actor, now=clock.now())
    if due:
        send()
        assert told() == 0
    clock.advance(due)
    send()
    [notice] = queries.notices()
    assert (notice.events, notice.tlp) == (1, "AMBER+STRICT")
    clock.advance(timedelta(days=8))
    send()
    assert told() == 1


def test_weekly_windows_cross_the_year(*, owner, arrive, send, clock, actor):
    """The week of 28 December belongs to no year: it is one letter, in January."""
    bank = owner("Alpha Bank")
    clock.moment = datetime(2026, 12, 28, 9, tzinfo=UTC)
    write_policy(policy=Policy("all", "weekly"), title="All", actor=actor, now=clock.now())
    for day in range(7):
        arrive([event(bank, day + 1)], batch=day + 1)
        send()
        clock.advance(timedelta(days=1))
    clock.moment = datetime(2027, 1, 3, 18, 59, tzinfo=UTC)  # Sunday, one minute to midnight
    send()
    assert told() == 0
    clock.moment = datetime(2027, 1, 3, 19, 0, tzinfo=UTC)  # Monday 00:00 in Pakistan
    send()
    [notice] = queries.notices()
    assert (notice.events, notice.window) == (7, "week 2026-12-28")
    assert "-2027-" in notice.number


@pytest.mark.parametrize("what", ["cut", "gone"])
def test_a_damaged_file_keeps_nobody_elses_letters(
    *, owner, arrive, policy, clock, actor, what: str
):
    bank = owner("Alpha Bank")
    policy("a", feed="scan_telnet")
    policy("b", feed="scan_ssh")
    arrive([event(bank), event(bank, 2, feed_code="scan_ssh")])
    gather_arrivals(actor=actor, now=clock.now())
    file = located(Pool.objects.get(policy_code="a").path)
    whole = file.read_bytes()
    if what == "cut":
        file.write_bytes(whole[:100])
    else:
        file.unlink()
    with pytest.raises(DigestUnfinished, match="policy a"):
        send_due_notices(actor=actor, clock=clock)
    assert [notice.policy_code for notice in queries.notices()] == ["b"]
    file.write_bytes(whole)
    assert send_due_notices(actor=actor, clock=clock).notices == 1
    assert told() == 2


def test_what_was_told_under_a_clock_years_ahead_is_told_again_in_time(
    *, owner, arrive, policy, send, clock, monkeypatch
):
    """The finding lasts. Nobody knows when it was told; it is not withheld until that year."""
    monkeypatch.setattr(windows, "_TOLD_FILES_MOST", 1)  # put together each time
    bank = owner("Alpha Bank")
    policy(cadence="daily", resend_days=7)
    ahead = timedelta(days=3650)
    clock.advance(ahead)
    arrive([event(bank)])
    clock.advance(timedelta(days=1))
    send()
    assert told() == 1
    clock.advance(-ahead)
    for day in range(1, 21):
        arrive([event(bank, time_source=NOON + timedelta(days=day))], batch=day + 1)
        clock.advance(timedelta(days=1))
        send()
    assert len(queries.notices(limit=100)) == 4  # as soon as a window closes, then each seven days
