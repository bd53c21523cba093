"""What the lake does by itself."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings

from muhafiz.common.clock import HeldClock
from muhafiz.jobs.registry import CannotSucceed, JobRun, Progress, declared_jobs
from muhafiz.lake import jobs, queries
from muhafiz.lake.actions import compaction
from muhafiz.lake.actions.verification import verify
from muhafiz.lake.models import Segment
from muhafiz.lake.query import EventQuery
from muhafiz.lake.refusals import CannotCompact, SegmentUnreadable
from muhafiz.lake.storage import whole_path
from muhafiz.rulebook.actions.profile import load_profile
from tests.lake.rows import NOON, host


@pytest.fixture
def clock(now) -> HeldClock:
    return HeldClock(now)


@pytest.fixture
def told() -> list[Progress]:
    """What the run has reported."""
    return []


@pytest.fixture
def run(clock, told):
    def run(name: str) -> JobRun:
        def beat(progress: Progress) -> str:
            told.append(progress)
            return "go on"

        return JobRun(name, clock, beat)

    return run


def three_days(lake) -> None:
    """Two segments each on two closed days and on today."""
    for numbers in (range(5), range(3, 9)):
        for days in (0, 1, 3):
            moment = NOON + timedelta(days=days, hours=-6)
            lake.append([host(n, time_source=moment, time_observation=moment) for n in numbers])


def test_they_are_timed():
    assert {job.name for job in declared_jobs() if job.name.startswith("lake.") and job.every} == {
        "lake.compact",
        "lake.expire_exports",
        "lake.retention",
        "lake.sweep",
        "lake.verify",
        "lake.verify_deep",
    }


def test_the_lake_proves_itself_shallow_every_day_and_deep_now_and_then(lake, run, told):
    """A file altered behind the platform's back, its size kept, is found by the deep proof alone."""
    three_days(lake)
    jobs.verify(run("lake.verify"))
    jobs.verify_deep(run("lake.verify_deep"))
    assert [line.note for line in told if "rows in" in line.note]
    path = whole_path(Segment.objects.order_by("pk").first().path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    jobs.verify(run("lake.verify"))
    with pytest.raises(CannotSucceed, match="segment:"):
        jobs.verify_deep(run("lake.verify_deep"))
    assert told[-1].note == jobs.NOT_PROVEN


def test_compact_takes_closed_days_and_leaves_today(lake, now, run, told):
    three_days(lake)
    jobs.compact(run("lake.compact"))
    live = Segment.objects.filter(retired_at=None)
    assert {s.day for s in live.filter(generation=0)} == {now.date()}
    assert {s.day for s in live.filter(generation=1)} == {
        NOON.date(),
        NOON.date() + timedelta(days=1),
    }
    assert [(p.done, p.total, p.note) for p in told] == [
        (0, 2, "2026-11-20"),
        (1, 2, "2026-11-21"),
    ]
    assert queries.count(EventQuery()) == 27
    assert verify(now=now, deep=True).proven
    told.clear()
    jobs.compact(run("lake.compact"))
    assert not told  # nothing left to do


def test_compact_passes_over_a_day_that_moved(lake, run, monkeypatch):
    three_days(lake)
    whole = compaction.compact_day

    def moved(day, **given):
        if day == NOON.date():
            raise CannotCompact(day=day)
        return whole(day, **given)

    monkeypatch.setattr(compaction, "compact_day", moved)
    jobs.compact(run("lake.compact"))
    days = Segment.objects.filter(retired_at=None, generation=1).values_list("day", flat=True)
    assert set(days) == {NOON.date() + timedelta(days=1)}


def test_compact_fails_aloud_on_a_damaged_file(lake, run):
    three_days(lake)
    (Path(settings.LAKE) / Segment.objects.earliest("id").path).unlink()
    with pytest.raises(SegmentUnreadable):
        jobs.compact(run("lake.compact"))
    assert not Segment.objects.exclude(retired_at=None).exists()


def test_nothing_is_removed_while_retention_is_unknown(lake, clock, run):
    three_days(lake)
    clock.advance(timedelta(days=4000))
    jobs.retain(run("lake.retention"))
    assert queries.count(EventQuery()) == 27


def test_retention_goes_by_the_rulebook(lake, clock, now, run, told):
    load_profile("pakistan", actor=lake.actor, now=now)
    three_days(lake)
    clock.advance(timedelta(days=397))  # 400 days are kept: the 20th is the last to stay
    jobs.retain(run("lake.retention"))
    assert queries.count(EventQuery()) == 27
    clock.advance(timedelta(days=1))
    jobs.retain(run("lake.retention"))
    assert [p.note for p in told] == ["2026-11-20"]
    assert [each.day for each in queries.volumes()] == [
        now.date(),
        NOON.date() + timedelta(days=1),
    ]
    assert verify(now=clock.now(), deep=True).proven  # what left is accounted for
    assert sum(queries.accepted_by_report().values()) == 33


def test_retention_of_a_given_length(lake, run):
    three_days(lake)
    jobs.retain(run("lake.retention"), events_days=0)
    assert queries.count(EventQuery()) == 27  # no length: nothing is deleted on a guess
    jobs.retain(run("lake.retention"), events_days=1)
    assert queries.count(EventQuery()) == 9


def test_sweep_deletes_what_was_replaced_and_what_a_crash_left(lake, clock, run, told):
    three_days(lake)
    jobs.compact(run("lake.compact"))
    orphan = Path(settings.LAKE) / "2026/11/20/left.parquet"
    orphan.write_bytes(b"PAR1")
    for path in Path(settings.LAKE).rglob("*.parquet"):
        os.utime(path, (clock.now().timestamp(),) * 2)
    jobs.sweep(run("lake.sweep"))
    assert told[-1].note == "0 replaced, 0 orphans"
    clock.advance(timedelta(minutes=61))
    jobs.sweep(run("lake.sweep"))
    assert told[-1].note == "6 replaced, 0 orphans"
    assert orphan.exists()
    clock.advance(timedelta(hours=24))
    jobs.sweep(run("lake.sweep"))
    assert told[-1].note == "0 replaced, 1 orphans"
    assert not orphan.exists()
    assert queries.count(EventQuery()) == 27
    assert verify(now=clock.now(), deep=True).proven


def test_accepted_rows_are_told_by_report(lake):
    lake.append([host(1), host(1), host(2)])
    lake.append([host(2)])
    assert queries.accepted_by_report() == {1: 3, 2: 1}
