"""Exports on the desk: what leaves is said before, downloads are one's own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from muhafiz.common.clock import HeldClock
from muhafiz.jobs.worker import run_due
from muhafiz.lake.models import Export


@pytest.fixture
def asked(world, entered):
    client = entered("analyst")
    answer = client.post(
        "/desk/exports/ask/", {"query": "span=all", "format": "jsonl"}, follow=True
    )
    assert "being written" in answer.content.decode()
    return client


def test_the_explorer_offers_what_is_shown(world, entered):
    page = entered("analyst").get("/desk/events/?span=all").content.decode()
    assert "/desk/exports/new/?span=all" in page


def test_what_would_leave_is_said_first(world, entered):
    client = entered("analyst")
    page = client.get("/desk/exports/new/?span=all").content.decode()
    assert "What leaves" in page
    assert "TLP:" in page
    assert Export.objects.count() == 0


def test_a_file_is_written_listed_and_downloaded(asked, world):
    run_due(HeldClock(datetime.now(UTC) + timedelta(minutes=1)))
    page = asked.get("/desk/exports/").content.decode()
    assert "Ready" in page
    number = Export.objects.get().public_id
    taken = asked.post(f"/desk/exports/{number}/file/")
    content = b"".join(taken.streaming_content)
    assert content.count(b"\n") == Export.objects.get().rows > 0
    assert taken["Content-Disposition"].startswith("attachment")
    assert "sandbox" in taken["Content-Security-Policy"]
    assert asked.get(f"/desk/exports/{number}/file/").status_code == 405


def test_another_person_finds_nothing(asked, world, entered):
    run_due(HeldClock(datetime.now(UTC) + timedelta(minutes=1)))
    number = Export.objects.get().public_id
    other = entered("director")
    assert str(number) not in other.get("/desk/exports/").content.decode()
    answers = [
        other.post(f"/desk/exports/{number}/{act}/", follow=True) for act in ("file", "cancel")
    ]
    assert all(b"no such export" in each.content or each.status_code == 404 for each in answers)
    assert Export.objects.get().state == "ready"


def test_cancelled_before_its_time(asked, world):
    run_due(HeldClock(datetime.now(UTC) + timedelta(minutes=1)))
    number = Export.objects.get().public_id
    asked.post(f"/desk/exports/{number}/cancel/")
    assert Export.objects.get().state == "cancelled"


@pytest.mark.parametrize(
    "posted",
    [
        {"query": "cidr=nonsense", "format": "csv"},
        {"query": "span=all", "format": "exe"},
        {"query": "span=all", "format": "csv", "column": "password"},
        {"query": "span=all&type=spam", "format": "csv"},
        {},
    ],
)
def test_what_makes_no_sense_is_said_and_nothing_is_made(world, entered, posted):
    answer = entered("analyst").post("/desk/exports/ask/", posted)
    assert answer.status_code == 400
    assert Export.objects.count() == 0


def test_who_only_reads_may_not_export(world, entered):
    client = entered("auditor")
    assert client.get("/desk/exports/new/").status_code == 403
    assert "/desk/exports/new/" not in client.get("/desk/events/?span=all").content.decode()


def test_the_list_takes_the_same_queries(asked, world, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    run_due(HeldClock(datetime.now(UTC) + timedelta(minutes=1)))
    with CaptureQueriesContext(connection) as one:
        asked.get("/desk/exports/live/")
    wanted = len(one)  # now: later requests empty the log it counts in
    for _ in range(2):
        asked.post("/desk/exports/ask/", {"query": "span=all", "format": "csv"})
        run_due(HeldClock(datetime.now(UTC) + timedelta(minutes=1)))
    with django_assert_num_queries(wanted):
        asked.get("/desk/exports/live/")
