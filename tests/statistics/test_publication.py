"""A week is published once, through the gate, and tells on nobody."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from muhafiz.audit.queries import verdict
from muhafiz.lake.actions.append import append_batch
from muhafiz.publications.queries import verify
from muhafiz.statistics.actions.publication import (
    WeekNotOver,
    counted,
    publish_due_weeks,
    publish_week,
)
from muhafiz.statistics.queries import published_week, published_weeks
from muhafiz.statistics.rules import TOTAL, Figure, week_bounds
from tests.lake.rows import accepted, row

WEEK = "2026-W47"  # 16 to 22 November


@pytest.fixture
def lake(db, folders, actor, now):
    """Ten organizations of two sectors; one power company had something nobody else had."""
    at = datetime(2026, 11, 18, 12, tzinfo=UTC)
    rows = [
        row(
            source_ip=f"203.0.113.{number}",
            organization_id=owner,
            sector="power" if (owner or 9) < 6 else "telecom",
            classification_taxonomy=taxonomy,
            time_source=at + timedelta(minutes=number),
        )
        for number, (owner, taxonomy) in enumerate(
            [
                (1 + n % 10, ("vulnerable", "malicious-code")[n % 2 or n % 4 // 2])
                for n in range(120)
            ]
            + [(3, "intrusions")] * 2
            + [(None, "vulnerable")] * 7
        )
    ]
    append_batch(accepted(rows, report_id=1), report_id=1, batch_number=0, actor=actor, now=now)


def test_counts_and_owners(lake):
    figures = counted(*week_bounds(WEEK))
    assert figures[TOTAL, TOTAL] == Figure(122, 10)
    assert figures["intrusions", "power"] == Figure(2, 1)
    assert figures[TOTAL, "telecom"].organizations == 5


def test_a_week_over_is_published_once_through_the_gate(lake, actor):
    now = datetime(2026, 11, 23, 7, tzinfo=UTC)
    assert publish_due_weeks(actor=actor, now=now) == [WEEK]
    assert publish_due_weeks(actor=actor, now=now + timedelta(hours=1)) == []
    [week] = published_weeks()
    assert week == published_week(WEEK)
    assert hashlib.sha256(week.content).hexdigest() == week.digest
    checked = verify(week.verify_code)
    assert (checked.outcome, checked.number, checked.digest) == ("valid", week.number, week.digest)
    assert verdict().whole


def test_a_week_waits_as_long_as_rows_about_it_come_in(lake, actor):
    """What is published never changes: a report that is read by batches must be in whole."""
    now = datetime(2026, 11, 25, 7, tzinfo=UTC)
    late = row(source_ip="203.0.113.250", time_source=datetime(2026, 11, 19, tzinfo=UTC))
    append_batch(accepted([late], report_id=2), report_id=2, batch_number=0, actor=actor, now=now)
    assert publish_due_weeks(actor=actor, now=now + timedelta(minutes=2)) == []
    assert publish_due_weeks(actor=actor, now=now + timedelta(minutes=4)) == [WEEK]


def test_rows_about_another_week_hold_nothing_up(lake, actor):
    now = datetime(2026, 11, 25, 7, tzinfo=UTC)
    other = row(source_ip="203.0.113.251", time_source=datetime(2026, 11, 24, tzinfo=UTC))
    append_batch(accepted([other], report_id=2), report_id=2, batch_number=0, actor=actor, now=now)
    assert publish_due_weeks(actor=actor, now=now + timedelta(minutes=1)) == [WEEK]


def test_what_one_company_had_alone_is_hidden(lake, actor, now):
    publish_week(WEEK, actor=actor, now=now)
    told = orjson.loads(published_week(WEEK).content)
    rows = {each["name"]: each for each in told["rows"]}
    at = told["columns"].index("power")
    assert rows["intrusions"]["cells"][at] is None
    assert rows["intrusions"]["total"] is None
    assert "organization" not in str(told["rows"])
    assert told["hidden_below"] == {"events": 5, "organizations": 3}


def test_a_running_week_is_refused(lake, actor):
    with pytest.raises(WeekNotOver):
        publish_week(WEEK, actor=actor, now=datetime(2026, 11, 23, 5, tzinfo=UTC))
    assert published_week(WEEK) is None


def test_an_empty_lake_publishes_nothing(db, folders, actor, now):
    assert publish_due_weeks(actor=actor, now=now) == []
