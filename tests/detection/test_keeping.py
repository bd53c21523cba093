"""What detection keeps beside the database: told files put together, files nobody needs removed."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest

from muhafiz.detection import queries
from muhafiz.detection.actions import windows
from muhafiz.detection.actions.housekeeping import tidy_files
from muhafiz.detection.actions.notices import send_now
from muhafiz.detection.files import folder, located
from muhafiz.detection.models import DigestRun, Pool, ToldFile
from tests.detection.given import event

pytestmark = pytest.mark.django_db


def live_told():
    return list(ToldFile.objects.filter(retired_at=None))


def files():
    return {str(path.relative_to(folder())) for path in folder().glob("*/*")}


def age(days, now):
    """Make every file look as if it had been written so long ago."""
    for path in folder().glob("*/*"):
        moment = (now - timedelta(days=days)).timestamp()
        os.utime(path, (moment, moment))


def test_many_told_files_become_one_that_says_the_same(*, owner, arrive, policy, send, clock):
    first, second = owner("Alpha Bank"), owner("Beta Telecom")
    policy(resend_days=3)
    for number in range(1, 18):  # one more than may stand side by side
        arrive([event(first, number), event(second, 100)], report=number)
        send()
        clock.advance(timedelta(hours=1))
    [merged] = live_told()
    assert merged.rows == 18  # 17 findings of the first, one of the second
    assert ToldFile.objects.count() == 18
    # What was told stays told: nothing new, so no letter.
    before = len(queries.notices(limit=500))
    days_on = {"time_source": clock.now() + timedelta(days=1)}
    arrive([event(first, 5, **days_on)], report=40)
    assert send().notices == 0
    clock.advance(timedelta(days=3))
    arrive([event(first, 5, time_source=clock.now())], report=41)
    assert send().notices == 1
    assert len(queries.notices(limit=500)) == before + 1
    latest = queries.notice_rows(queries.notices(limit=1)[0].id)
    assert [row["first_told"] is not None for row in latest] == [True]


def test_findings_told_long_ago_are_forgotten_when_files_merge(owner, arrive, policy, send, clock):
    first = owner("Alpha Bank")
    policy()
    arrive([event(first, 1)])
    send()
    clock.advance(timedelta(days=500))
    for number in range(2, 18):
        arrive([event(first, number)], report=number)
        send()
    [merged] = live_told()
    assert merged.rows == 16


def test_a_merge_overtaken_by_another_leaves_no_file(
    *, owner, arrive, policy, send, clock, monkeypatch
):
    first = owner("Alpha Bank")
    policy()
    for number in range(1, 17):
        arrive([event(first, number)], report=number)
        send()
    assert not windows.merge_told_files(now=clock.now())  # 16 may stand side by side
    merge, outcomes = windows.merge_told, []

    def overtaken(*arguments):
        monkeypatch.setattr(windows, "merge_told", merge)
        written = merge(*arguments)
        outcomes.append(windows.merge_told_files(now=clock.now()))  # the quicker job
        outcomes.append(written)
        return written

    monkeypatch.setattr(windows, "merge_told", overtaken)
    arrive([event(first, 17)], report=17)
    send()
    quicker, written = outcomes
    assert quicker
    [merged] = live_told()
    assert merged.rows == 17
    assert not located(written.path).exists()
    assert located(merged.path).exists()


def test_files_that_no_row_needs_are_removed_after_a_day(
    *, owner, arrive, policy, send, now, actor
):
    first = owner("Alpha Bank")
    policy()
    policy("weekly", cadence="weekly", classes="spam", threshold=2)
    arrive([event(first, 1), event(first, 2, classification_type="spam")])
    send()
    orphan = folder() / "2026-11" / "pool-orphan.parquet"
    orphan.write_bytes(b"left by a crash")
    age(0.5, now)
    assert tidy_files(actor=actor, now=now) == 0  # may belong to work under way
    age(2, now)
    needed = {
        *DigestRun.objects.values_list("path", flat=True),
        *ToldFile.objects.values_list("path", flat=True),
        *Pool.objects.filter(run=None).values_list("path", flat=True),
    }
    assert Pool.objects.filter(run=None).count() == 1
    removed = len(files() - needed)
    assert removed >= 2  # the orphan, and the pool that has become a plan
    assert tidy_files(actor=actor, now=now) == removed
    assert files() == needed
    [notice] = queries.notices()
    assert len(queries.notice_rows(notice.id)) == 1  # still traced
    assert tidy_files(actor=actor, now=now) == 0


def test_a_waiting_pool_outlives_tidying_and_is_told(*, owner, arrive, policy, send, clock, actor):
    first = owner("Alpha Bank")
    policy(cadence="daily")
    arrive([event(first, 1)])
    send()
    clock.advance(timedelta(days=1))
    age(3, clock.now())
    tidy_files(actor=actor, now=clock.now())
    assert send().notices == 1


def test_a_plan_is_kept_as_long_as_its_events(*, owner, arrive, policy, clock, actor):
    first = owner("Alpha Bank")
    policy(cadence="weekly")
    arrive([event(first, 1)])
    [notice] = send_now(organization_id=first, actor=actor, clock=clock)
    clock.advance(timedelta(days=3_700))  # longer than any profile keeps events
    age(3, clock.now())
    path = DigestRun.objects.get().path
    assert tidy_files(actor=actor, now=clock.now()) >= 1
    assert not located(path).exists()
    assert queries.notice_rows(notice) == []  # the notice stands, its rows are past retention
