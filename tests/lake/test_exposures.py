"""Problems and assets: each event counts once, re-sightings move the last time, labels are kept."""

from __future__ import annotations

from datetime import timedelta

import pytest

from muhafiz.lake.actions.append import append_batch
from muhafiz.lake.exposures import assets, day_marks, labels, problems, whole_day
from muhafiz.lake.query import EventQuery
from tests.lake.rows import NOON, accepted, host, row

pytestmark = pytest.mark.django_db
OPEN = frozenset({"CLEAR", "GREEN", "AMBER", "AMBER+STRICT"})


@pytest.fixture
def append(folders, actor, now, engine):
    def put(rows, report=1, batch=1):
        table = accepted(rows, report_id=report)
        append_batch(table, report_id=report, batch_number=batch, actor=actor, now=now)

    return put


def test_an_empty_lake_has_no_problems(folders):
    assert problems(EventQuery(limit=None), OPEN).num_rows == 0
    assert assets(EventQuery(limit=None), OPEN).num_rows == 0
    assert labels(EventQuery(limit=None)) == frozenset()
    assert day_marks() == {}


def test_events_are_grouped_by_owner_type_and_identifier(append):
    append(
        [
            host(1, severity="low"),
            host(2, severity="critical"),
            host(3, organization_id=None),
            host(4, organization_id=2),
            host(5, classification_identifier=None, severity=None),
        ]
    )
    found = problems(whole_day(NOON.date()), OPEN).to_pylist()
    told = [(r["organization_id"], r["identifier"], r["events"], r["rank"]) for r in found]
    assert told == [(1, "", 1, -1), (1, "open-telnet", 2, 4), (2, "open-telnet", 1, -1)]


def test_red_and_unlabelled_rows_are_left_out(append):
    append([host(1), host(2, tlp="RED"), host(3, tlp=None), host(4, tlp="AMBER")])
    assert labels(whole_day(NOON.date())) == {"AMBER", "RED"}
    found = problems(whole_day(NOON.date()), OPEN).to_pylist()
    assert [each["events"] for each in found] == [2]
    assert problems(whole_day(NOON.date()), frozenset()).num_rows == 0


def test_a_resighting_moves_the_last_time_and_adds_no_event(append):
    append([host(1)])
    append([host(1, time_source=NOON + timedelta(hours=5))], report=2)
    found = problems(whole_day(NOON.date()), OPEN).to_pylist()[0]
    assert (found["events"], found["assets"]) == (1, 1)
    assert found["first_seen"] == NOON
    assert found["last_seen"] == NOON + timedelta(hours=5)


def test_day_marks_grow_with_appends(append):
    append([host(1)])
    first = day_marks()[NOON.date()]
    append([host(2)], report=2)
    assert day_marks()[NOON.date()].version > first.version


def test_assets_are_services_machines_names_and_accounts(append):
    given = {"classification_taxonomy": "malicious-code", "classification_type": "infected-system"}
    append(
        [
            host(1, source_fqdn="a.example.org"),
            host(1, source_port=24),
            host(2, source_port=4001, classification_identifier="mirai", **given),
            host(2, source_port=4002, classification_identifier="mirai", **given),
            row(source_ip=None, source_fqdn="b.example.org"),
            host(4, source_account="who@example.org"),
            row(source_ip="2001:db8::5"),
        ]
    )
    found = {each["asset"]: each for each in assets(whole_day(NOON.date()), OPEN).to_pylist()}
    assert set(found) == {
        "198.51.100.1:23", "198.51.100.1:24", "198.51.100.2", "b.example.org",
        "who@example.org", "[2001:db8::5]:23",
    }  # fmt: skip
    assert found["198.51.100.1:23"]["name"] == "a.example.org"
    assert found["198.51.100.2"]["events"] == 2
    only = assets(whole_day(NOON.date()), OPEN, identifiers=["mirai"]).to_pylist()
    assert [each["asset"] for each in only] == ["198.51.100.2"]
