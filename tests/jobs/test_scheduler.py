"""Timed jobs: neither lost nor run twice in a slot, whatever the clock does."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import OperationalError, connection

from muhafiz.common.clock import HeldClock
from muhafiz.jobs import queries, registry, scheduler
from muhafiz.jobs.actions.claims import claim_job
from muhafiz.jobs.actions.pruning import prune_jobs
from muhafiz.jobs.scheduler import schedule_due
from muhafiz.jobs.worker import run_due

FIVE = timedelta(minutes=5)


@pytest.fixture
def ran(db, declare, only):
    ran = declare("test.timed", every=FIVE)
    only("test.timed")
    return ran


def poll(clock):
    schedule_due(clock)
    run_due(clock)


def test_it_runs_once_per_slot(ran, clock):
    for _ in range(60):
        poll(clock)
        clock.advance(timedelta(seconds=30))
    assert len(ran) == 6  # half an hour, polled every 30 s


def test_missed_slots_are_worked_once(ran, clock):
    poll(clock)
    clock.advance(timedelta(days=3))
    poll(clock)
    poll(clock)
    assert len(ran) == 2


def test_two_schedulers_queue_it_once(ran, clock):
    assert schedule_due(clock) == 1
    assert schedule_due(clock) == 0
    run_due(clock)
    clock.advance(FIVE)
    assert [schedule_due(clock), schedule_due(clock)] == [1, 0]


def test_a_slot_is_not_lost_while_the_last_run_goes_on(ran, clock):
    schedule_due(clock)
    claim = claim_job(worker="busy", now=clock.now())
    clock.advance(FIVE)
    assert schedule_due(clock) == 0
    from muhafiz.jobs.actions.claims import end_run

    end_run(claim, outcome="done", now=clock.now())
    assert schedule_due(clock) == 1


def test_a_run_that_still_waits_counts_for_the_next_slot_too(ran, clock):
    schedule_due(clock)
    clock.advance(FIVE)
    assert schedule_due(clock) == 0
    assert run_due(clock) == 1


def test_a_clock_set_back_ten_days_neither_stalls_nor_repeats(ran, clock):
    poll(clock)
    assert len(ran) == 1
    clock.advance(timedelta(days=-10))
    poll(clock)
    assert len(ran) == 1  # this stretch of real time was worked already
    for expected in (2, 3, 4):
        clock.advance(FIVE)
        poll(clock)
        poll(clock)
        assert len(ran) == expected
    clock.advance(timedelta(days=10))
    poll(clock)
    assert len(ran) == 5


def test_a_clock_that_jumps_back_and_forth_within_a_slot_runs_nothing_twice(ran, clock):
    poll(clock)
    for _ in range(5):
        clock.advance(timedelta(days=-10))
        poll(clock)
        clock.advance(timedelta(days=10))
        poll(clock)
    assert len(ran) == 1


def test_a_second_scheduler_a_little_behind_changes_nothing(ran, clock):
    behind = HeldClock(clock.now() - timedelta(seconds=2))  # still in the slot before
    poll(clock)
    for _ in range(3):
        poll(behind)
        poll(clock)
    assert len(ran) == 1
    clock.advance(FIVE)
    poll(clock)
    assert len(ran) == 2


def test_the_timetable_tells_the_last_run_and_the_next(ran, clock, now):
    poll(clock)
    timed = {facts.name: facts for facts in queries.timed_jobs()}["test.timed"]
    assert timed.description == "A job of the tests."
    assert timed.last_run.state == "done"
    assert timed.next_at == now + FIVE


def test_the_last_run_of_a_timed_job_survives_pruning(ran, clock):
    poll(clock)
    clock.advance(FIVE)
    poll(clock)
    assert prune_jobs(now=clock.now() + timedelta(days=200)) == 1
    assert {f.name: f for f in queries.timed_jobs()}["test.timed"].last_run is not None


def test_slots_can_be_shifted(db, declare, only, clock):
    ran = declare("test.shifted", every=timedelta(days=1), offset=timedelta(hours=10))
    only("test.shifted")
    poll(clock)  # 09:00
    clock.advance(timedelta(minutes=59))
    poll(clock)
    assert len(ran) == 1
    clock.advance(timedelta(minutes=1))  # 10:00
    poll(clock)
    assert len(ran) == 2


def test_the_timetable_costs_the_same_however_long(
    db, declare, only, clock, django_assert_max_num_queries
):
    names = [f"test.timed_{n}" for n in range(20)]
    for name in names:
        declare(name, every=FIVE)
    only(*names)
    schedule_due(clock)
    clock.advance(timedelta(seconds=1))
    with django_assert_max_num_queries(6):
        schedule_due(clock)
    with django_assert_max_num_queries(4):
        queries.timed_jobs()


def test_the_houses_own_jobs_are_found_and_described():
    spec = registry.find_job("jobs.prune_jobs")
    assert spec.every == timedelta(hours=6)
    assert "14 days" in spec.description


@pytest.mark.django_db(transaction=True)  # it closes the connection
def test_a_database_that_is_locked_or_full_is_waited_for(ran, clock, monkeypatch):
    """A scheduler that died of it would queue nothing until somebody looked."""
    monkeypatch.setattr(scheduler, "_TROUBLE_SECONDS", 0.01)
    monkeypatch.setattr(scheduler, "_LOOK_SECONDS", 0.01)
    stop, troubles = threading.Event(), []

    def locked(execute, sql, *rest):
        if len(troubles) < 3:
            troubles.append(sql)
            raise OperationalError("database is locked")
        stop.set()
        return execute(sql, *rest)

    with connection.execute_wrapper(locked):
        scheduler.keep_schedule(clock, stop)
    assert len(troubles) == 3
    assert len(queries.jobs(name="test.timed")) == 1
