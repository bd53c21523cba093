"""The life of a job, told by a held clock."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import transaction

from muhafiz.audit.queries import current_head, entries
from muhafiz.common.actor import Actor
from muhafiz.common.clock import HeldClock
from muhafiz.jobs import queries, registry
from muhafiz.jobs.actions.claims import Progress, claim_job, end_run, keep_lease
from muhafiz.jobs.actions.pruning import prune_jobs
from muhafiz.jobs.actions.queue import (
    CannotCancel,
    CannotRetry,
    NoSuchJob,
    cancel_job,
    enqueue_job,
    retry_job,
)
from muhafiz.jobs.registry import CannotSucceed, JobRun, UnknownJob
from muhafiz.jobs.worker import run_due, work

LEASE = timedelta(minutes=10)


@pytest.fixture
def queue(actor, clock):
    def queue(name="test.job", payload=None, **options):
        return enqueue_job(name, payload or {}, actor=actor, now=clock.now(), **options)

    return queue


def test_a_job_runs_once_with_its_payload(db, declare, queue, clock):
    ran = declare()
    number = queue(payload={"feed_id": 7})
    assert run_due(clock) == 1
    assert run_due(clock) == 0
    assert ran == [{"feed_id": 7}]
    job = queries.job(number)
    assert (job.state, job.attempt, job.leased_until) == ("done", 1, None)
    assert [a.outcome for a in queries.attempts(number)] == ["done"]


def test_jobs_run_in_order_of_their_time(db, declare, queue, clock, minute):
    ran = declare()
    queue(payload={"n": 1}, run_at=clock.now() + minute)
    queue(payload={"n": 2})
    queue(payload={"n": 3})
    assert run_due(clock, limit=1) == 1
    assert run_due(clock) == 1
    clock.advance(minute)
    assert run_due(clock) == 1
    assert [payload["n"] for payload in ran] == [2, 3, 1]


def test_a_misspelt_job_is_refused_with_a_hint(db, declare, queue):
    declare("feeds_of_test.collect")
    with pytest.raises(UnknownJob, match=r"feeds_of_test\.collect"):
        queue("feeds_of_test.colect")


def test_a_payload_that_is_no_json_is_refused(db, declare, queue, clock):
    declare()
    with pytest.raises(TypeError):
        queue(payload={"at": clock.now()})


def test_a_unique_key_has_its_length(db, declare, queue):
    declare()
    assert queue(unique_key="k" * 200)
    with pytest.raises(ValueError, match="200"):
        queue(unique_key="k" * 201)


def test_an_idle_worker_writes_nothing(db, clock, django_assert_num_queries):
    run_due(clock)
    with django_assert_num_queries(2) as asked:
        run_due(clock)
    assert all(query["sql"].startswith("SELECT") for query in asked.captured_queries)


@pytest.mark.django_db(transaction=True)
def test_a_rollback_takes_the_job_back(declare, queue, clock):
    ran = declare()

    @transaction.atomic
    def action():
        queue()
        raise RuntimeError("the action failed")

    with pytest.raises(RuntimeError):
        action()
    assert run_due(clock) == 0
    assert ran == []


def test_a_unique_job_is_queued_once_while_it_waits_or_runs(db, declare, queue, clock):
    inside = []
    declare(act=lambda run, **_: inside.append(queue(unique_key="report:7")))
    first = queue(unique_key="report:7")
    assert queue(unique_key="report:7") == first
    assert queue(unique_key="report:8") != first
    run_due(clock, limit=1)
    assert inside[0] == first  # also while it runs
    assert queue(unique_key="report:7") != first  # done: a new one


def test_what_people_queue_is_audited_and_what_jobs_queue_is_theirs(db, declare, queue, clock):
    declare()
    number = queue()
    entry = entries(limit=1)[0]
    assert (entry.action, entry.subject) == ("jobs.enqueue_job", f"job:{number}")
    size = current_head().size
    enqueue_job("test.job", {}, actor=Actor.job("feeds.collect"), now=clock.now())
    assert current_head().size == size


def fail(run, **_):
    raise ValueError("cannot reach imaps://feeds:hunter2@mail.example/")


def test_a_failing_job_is_tried_again_ever_later_and_then_stays_failed(db, declare, queue, clock):
    declare(act=fail, attempts=3)
    number = queue()
    pauses = []
    for _ in range(3):
        assert run_due(clock) == 1
        assert run_due(clock) == 0  # not before its pause is over
        job = queries.job(number)
        if job.state == "queued":
            pauses.append(job.run_at - clock.now())
            clock.moment = job.run_at
    assert pauses == [timedelta(seconds=30), timedelta(seconds=60)]
    assert (job.state, job.attempt) == ("failed", 3)
    assert "ValueError" in job.error
    assert "mail.example" in job.error
    assert "hunter2" not in job.error
    assert [a.outcome for a in queries.attempts(number)] == ["failed"] * 3
    assert queries.counts_by_state()["failed"] == 1


def test_a_failed_job_can_be_tried_again_with_all_its_attempts(db, declare, queue, actor, clock):
    declare(act=fail, attempts=1)
    number = queue()
    run_due(clock)
    retry_job(number, actor=actor, now=clock.now())
    assert queries.job(number).state == "queued"
    run_due(clock)
    assert queries.job(number).state == "failed"
    assert entries(limit=1)[0].action == "jobs.retry_job"
    assert len(queries.attempts(number)) == 2


def test_only_ended_jobs_are_tried_again(db, declare, queue, actor, clock):
    declare()
    number = queue(unique_key="k")
    with pytest.raises(CannotRetry, match="queued"):
        retry_job(number, actor=actor, now=clock.now())
    cancel_job(number, actor=actor, now=clock.now())
    queue(unique_key="k")
    with pytest.raises(CannotRetry, match="its like"):
        retry_job(number, actor=actor, now=clock.now())
    for action in (retry_job, cancel_job):
        with pytest.raises(NoSuchJob):
            action(999_999, actor=actor, now=clock.now())


def test_a_job_that_cannot_succeed_is_not_tried_again(db, declare, queue, clock):
    def act(run, **_):
        raise CannotSucceed("the report is gone")

    declare(act=act)
    number = queue()
    run_due(clock)
    assert (queries.job(number).state, queries.job(number).error) == (
        "failed",
        "the report is gone",
    )


def test_a_job_of_an_older_version_fails_visibly(db, declare, queue, clock):
    declare("test.gone")
    number = queue("test.gone")
    registry.forget_job("test.gone")
    run_due(clock)
    assert queries.job(number).state == "failed"
    assert "test.gone" in queries.job(number).error


def test_a_waiting_job_is_cancelled_at_once(db, declare, queue, actor, clock):
    ran = declare()
    number = queue()
    cancel_job(number, actor=actor, now=clock.now())
    assert run_due(clock) == 0
    assert (queries.job(number).state, ran) == ("cancelled", [])
    with pytest.raises(CannotCancel, match="cancelled already"):
        cancel_job(number, actor=actor, now=clock.now())


def test_a_running_job_is_cancelled_at_its_next_report(db, declare, queue, actor, clock):
    reached = []

    def act(run, **_):
        run.report(done=1, total=3)
        cancel_job(run.job_id, actor=actor, now=clock.now())
        clock.advance(timedelta(seconds=1))
        run.report(done=2)
        reached.append("never")

    declare(act=act)
    number = queue()
    run_due(clock)
    assert (queries.job(number).state, reached) == ("cancelled", [])


def test_progress_is_seen_while_the_job_runs(db, declare, queue, clock, minute):
    seen = []

    def act(run, **_):
        run.report(done=250, total=1000, note="reading")
        seen.append(queries.job(run.job_id))
        clock.advance(minute)
        run.report(done=500)
        seen.append(queries.job(run.job_id))

    declare(act=act)
    queue()
    run_due(clock)
    assert [(job.done, job.total, job.note, job.share) for job in seen] == [
        (250, 1000, "reading", 0.25),
        (500, 1000, "reading", 0.5),
    ]
    assert seen[1].leased_until == clock.now() + LEASE


def test_reports_are_written_once_a_second(clock):
    beats = []

    def beat(progress):
        beats.append(progress.done)
        return "go on"

    run = JobRun("test.job", clock, beat)
    for done in range(10_000):
        run.report(done=done, total=10_000)
    assert beats == [0]
    clock.advance(timedelta(seconds=1))
    run.report(done=9_998)
    run.report(done=10_000)
    assert beats == [0, 9_998, 10_000]


def test_a_dead_workers_job_is_taken_over_after_its_lease(db, declare, queue, clock):
    ran = declare(lease=LEASE)
    number = queue()
    dead = claim_job(worker="dead", now=clock.now())
    assert dead.job_id == number
    assert run_due(clock) == 0
    clock.advance(LEASE + timedelta(seconds=1))
    assert run_due(clock) == 1
    assert ran == [{}]
    assert [a.outcome for a in queries.attempts(number)] == ["lost", "done"]
    # The dead worker was only slow: it can no longer change anything.
    assert keep_lease(dead, Progress(), now=clock.now()) == "lost"
    assert end_run(dead, outcome="failed", error="late", now=clock.now()) is False
    assert queries.job(number).state == "done"


def test_a_worker_that_was_taken_over_stops_at_its_next_report(db, declare, queue, clock):
    reached = []

    def act(run, **_):
        if not reached:
            reached.append("first")
            clock.advance(LEASE + timedelta(seconds=1))
            other = claim_job(worker="other", now=clock.now())
            assert other.job_id == run.job_id
            run.report(done=1)
            reached.append("never")

    declare(act=act, lease=LEASE)
    number = queue()
    run_due(clock, limit=1)
    assert reached == ["first"]
    assert (queries.job(number).state, queries.job(number).worker) == ("running", "other")


def test_a_report_keeps_the_lease(db, declare, queue, clock):
    declare(lease=LEASE)
    queue()
    claim = claim_job(worker="slow", now=clock.now())
    for _ in range(5):
        clock.advance(LEASE - timedelta(seconds=1))
        assert keep_lease(claim, Progress(done=1), now=clock.now()) == "go on"
        assert claim_job(worker="other", now=clock.now()) is None


def test_a_job_whose_workers_all_die_is_failed_and_visible(db, declare, queue, clock):
    declare(attempts=2, lease=LEASE)
    number = queue()
    for _ in range(2):
        assert claim_job(worker="dying", now=clock.now()) is not None
        clock.advance(LEASE + timedelta(seconds=1))
    assert claim_job(worker="other", now=clock.now()) is None
    job = queries.job(number)
    assert (job.state, job.attempt) == ("failed", 2)
    assert "fell silent" in job.error


def test_a_cancelled_job_whose_worker_died_is_not_run_again(db, declare, queue, actor, clock):
    ran = declare(lease=LEASE)
    number = queue()
    claim_job(worker="dead", now=clock.now())
    cancel_job(number, actor=actor, now=clock.now())
    clock.advance(LEASE + timedelta(seconds=1))
    assert run_due(clock) == 0
    assert (queries.job(number).state, ran) == ("cancelled", [])


@pytest.mark.django_db(transaction=True)
def test_a_stopping_worker_gives_its_job_back_without_costing_an_attempt(declare, queue, clock):
    stop = threading.Event()

    def act(run, **_):
        stop.set()
        run.report(done=1)

    declare(act=act, attempts=1)
    number = queue()
    work(clock, stop)
    job = queries.job(number)
    assert (job.state, job.attempts - job.attempt) == ("queued", 1)
    assert [a.outcome for a in queries.attempts(number)] == ["stopped"]


def test_one_worker_gets_a_job(db, declare, queue, clock):
    declare()
    queue()
    claims = [claim_job(worker=f"w{n}", now=clock.now()) for n in range(3)]
    assert [claim is not None for claim in claims] == [True, False, False]


def test_a_clock_set_back_ten_days_stalls_nothing(db, declare, queue, clock):
    failures = iter([True])

    def act(run, **_):
        if next(failures, False):
            raise ValueError("once")

    ran = declare(act=act)
    number = queue()
    run_due(clock)  # fails; its next attempt waits 30 s
    clock.advance(timedelta(days=-10))
    assert run_due(clock) == 0
    clock.advance(timedelta(seconds=31))
    assert run_due(clock) == 1
    assert queries.job(number).state == "done"
    assert len(ran) == 2


def test_a_dead_workers_lease_comes_back_with_the_clock(db, declare, queue, clock):
    ran = declare(lease=LEASE)
    queue()
    run_due(HeldClock(clock.now()), limit=0)
    claim_job(worker="dead", now=clock.now())
    from muhafiz.jobs.actions.claims import mark_clock

    mark_clock(now=clock.now())
    clock.advance(timedelta(days=-10))
    assert run_due(clock) == 0
    clock.advance(LEASE + timedelta(seconds=1))
    assert run_due(clock) == 1
    assert ran == [{}]


def test_old_jobs_are_pruned_and_failed_ones_stay_longer(db, declare, queue, clock):
    declare()
    declare("test.failing", act=fail, attempts=1)
    done, failed = queue(), queue("test.failing")
    run_due(clock)
    clock.advance(timedelta(days=15))
    waiting = queue()
    assert prune_jobs(now=clock.now()) == 1
    assert queries.job(done) is None
    assert queries.attempts(done) == []
    assert queries.job(failed).state == "failed"
    clock.advance(timedelta(days=76))
    assert prune_jobs(now=clock.now()) == 1
    assert [job.job_id for job in queries.jobs()] == [waiting]


def test_the_desk_sees_jobs_by_state_and_page(db, declare, queue, clock):
    declare()
    numbers = [queue() for _ in range(3)]
    run_due(clock, limit=1)
    assert [j.job_id for j in queries.jobs(limit=2)] == numbers[:0:-1]
    assert [j.job_id for j in queries.jobs(before=numbers[1])] == numbers[:1]
    assert [j.job_id for j in queries.jobs(state="done")] == numbers[:1]
    assert queries.jobs(name="test.other") == []
    assert queries.counts_by_state() == {
        "queued": 2,
        "running": 0,
        "done": 1,
        "failed": 0,
        "cancelled": 0,
    }
    clock.advance(timedelta(minutes=3))
    assert queries.longest_wait(clock.now()) == timedelta(minutes=3)


def test_lists_cost_the_same_however_long(db, declare, queue, django_assert_num_queries):
    declare()
    queue()
    with django_assert_num_queries(1):
        queries.jobs()
    queue()
    queue()
    with django_assert_num_queries(1):
        assert len(queries.jobs()) == 3


def test_a_refusal_is_kept_as_its_sentence(db, clock, actor, declare):
    """People read it on the desk; a traceback would hide it."""

    def refuse(run):
        raise CannotRetry(job_id=7, reason="the disk is full")

    declare(act=refuse, attempts=2)
    number = enqueue_job("test.job", {}, actor=actor, now=clock.now())
    run_due(clock)
    assert queries.job(number).error == "Job 7 cannot be tried again: the disk is full."
    assert queries.job(number).state == "queued", "it is tried again as any other failure"
