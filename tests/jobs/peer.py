"""A process of its own: `peer.py migrate | enqueue NAME COUNT | work | append COUNT | state`.

Its jobs write to the file named by PEER_DIARY, one line at a time.
"""

import json
import os
import signal
import sys
import threading
import time
from datetime import timedelta

import django

django.setup()

from django.core.management import call_command  # noqa: E402 - only after the setup
from django.db import transaction  # noqa: E402 - as above

from muhafiz.audit import queries as audit  # noqa: E402 - as above
from muhafiz.audit.actions.entries import record_entry  # noqa: E402 - as above
from muhafiz.common.actor import Actor  # noqa: E402 - as above
from muhafiz.common.clock import SystemClock  # noqa: E402 - as above
from muhafiz.jobs import queries  # noqa: E402 - as above
from muhafiz.jobs.actions.queue import enqueue_job  # noqa: E402 - as above
from muhafiz.jobs.registry import job  # noqa: E402 - as above
from muhafiz.jobs.worker import work  # noqa: E402 - as above

ME = Actor.job("peer")
CLOCK = SystemClock()


def note(*words: object) -> None:
    handle = os.open(os.environ["PEER_DIARY"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, (" ".join(map(str, words)) + "\n").encode())
    os.close(handle)


@job("peer.short")
def short(run) -> None:
    """Begins and ends."""
    note("begin", run.job_id, os.getpid())
    time.sleep(0.01)
    note("end", run.job_id, os.getpid())


@job("peer.deadly", lease=timedelta(seconds=2))
def deadly(run) -> None:
    """Goes on for ever at the first attempt, ends at once at the second."""
    first = queries.job(run.job_id).attempt == 1
    note("begin", run.job_id, os.getpid())
    while first:
        run.report(note="at work")
        time.sleep(0.05)
    note("end", run.job_id, os.getpid())


def run_worker() -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    work(CLOCK, stop)


def append(count: int) -> None:
    for number in range(count):
        with transaction.atomic():
            record_entry(actor=ME, now=CLOCK.now(), action="peer.append", subject=f"n:{number}")
            note("recorded", os.getpid(), number)
        note("committed", os.getpid(), number)


def main() -> None:
    match sys.argv[1:]:
        case ["migrate"]:
            call_command("migrate", verbosity=0)
        case ["enqueue", name, count]:
            with transaction.atomic():
                for _ in range(int(count)):
                    enqueue_job(name, {}, actor=ME, now=CLOCK.now())
        case ["work"]:
            run_worker()
        case ["append", count]:
            append(int(count))
        case ["state"]:
            verdict, head = audit.verdict(), audit.current_head()
            jobs = [
                [j.job_id, j.state, j.attempt, [a.outcome for a in queries.attempts(j.job_id)]]
                for j in queries.jobs(limit=1000)
            ]
            sys.stdout.write(
                json.dumps({"jobs": jobs, "whole": verdict.whole, "size": head.size}) + "\n"
            )


main()
