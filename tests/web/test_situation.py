"""The situation on the desk, and the weekly figures for everybody."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from muhafiz.lake.actions.append import append_batch
from muhafiz.statistics.actions.publication import publish_due_weeks
from muhafiz.statistics.queries import published_weeks
from tests.lake.rows import accepted, row
from tests.web.given import OPERATOR

SECRET = "only-one-has-this"


@pytest.fixture
def past(world):
    """Three weeks of events of many owners; one of them had something rare."""
    now = datetime.now(UTC)
    rows = [
        row(
            source_ip=f"203.0.{number // 200}.{number % 200}",
            organization_id=1 + number % 9,
            sector=("power", "telecom", "banking")[number % 3],
            classification_taxonomy=("vulnerable", "malicious-code")[number % 2],
            time_source=now - timedelta(days=7 + number % 14),
        )
        for number in range(600)
    ] + [
        row(
            source_ip="203.0.113.250",
            organization_id=1,
            sector="power",
            classification_taxonomy="intrusions",
            classification_identifier=SECRET,
            time_source=now - timedelta(days=9),
        )
    ]
    append_batch(
        accepted(rows, report_id=900), report_id=900, batch_number=0, actor=OPERATOR, now=now
    )
    return world


def test_the_situation_shows_sectors_regions_and_days(past, entered):
    page = entered("duty_officer").get("/desk/situation/").content.decode()
    for said in ("Power", "Banking", "Punjab", "No sector"):
        assert said in page
    assert page.count("<svg") > 6


def test_what_is_late_at_the_desk_leads_the_situation(past, entered):
    page = entered("duty_officer").get("/desk/situation/")
    assert list(page.context["work"]) == ["overdue", "free", "waiting", "open"]
    shown = page.content.decode()
    assert shown.index("Past their target") < shown.index("Sectors, week by week")
    assert '/desk/queue/?state=open&amp;overdue=yes"' in shown
    closed_to = entered("advisory_editor").get("/desk/situation/")
    assert closed_to.context["work"] == {}
    assert "Past their target" not in closed_to.content.decode()


@pytest.mark.parametrize(
    ("taken", "kind"),
    [
        ("sectors.csv", "text/csv"),
        ("days.csv", "text/csv"),
        ("regions.csv", "text/csv"),
        ("days.svg", "image/svg+xml"),
        ("regions.svg", "image/svg+xml"),
    ],
)
def test_every_picture_can_be_taken_along(past, entered, taken, kind):
    answer = entered("analyst").get(f"/desk/situation/?take={taken}")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith(kind)


def test_there_is_no_other_file(world, entered):
    assert entered("analyst").get("/desk/situation/?take=../secret").status_code == 404


def test_a_broken_map_is_said_and_the_grid_stands_in(past, entered, settings, tmp_path):
    settings.REGION_MAP = tmp_path / "map.geojson"
    settings.REGION_MAP.write_text("{}")
    page = entered("duty_officer").get("/desk/situation/").content.decode()
    assert "cannot be used" in page
    assert "Punjab" in page


def test_an_official_map_is_drawn(past, entered, settings, tmp_path):
    codes = ["PK-GB", "PK-KP", "PK-IS", "PK-JK", "PK-BA", "PK-PB", "PK-SD"]
    shapes = [
        {
            "type": "Feature",
            "properties": {"code": code},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[60 + at, 30], [61 + at, 30], [61 + at, 31], [60 + at, 30]]],
            },
        }
        for at, code in enumerate(codes)
    ]
    settings.REGION_MAP = tmp_path / "map.geojson"
    settings.REGION_MAP.write_text(json.dumps({"type": "FeatureCollection", "features": shapes}))
    page = entered("duty_officer").get("/desk/situation/").content.decode()
    assert page.count('class="stream region"') == len(codes)


def test_the_public_sees_the_figures_as_released(past):
    publish_due_weeks(actor=OPERATOR, now=datetime.now(UTC) + timedelta(minutes=5))
    week = published_weeks()[0]
    browser = Client()
    page = browser.get(f"/statistics/?week={week.week}").content.decode()
    assert week.verify_code in page
    taken = browser.get(f"/statistics/?week={week.week}&take=json")
    assert taken.content == week.content
    assert browser.get(f"/statistics/?week={week.week}&take=csv").status_code == 200
    assert browser.get("/statistics/?take=svg").status_code == 200
    everything = page + "".join(each.content.decode() for each in published_weeks())
    assert SECRET not in everything
    assert "Indus" not in everything


def test_from_one_published_week_leads_a_way_to_its_neighbours(past):
    publish_due_weeks(actor=OPERATOR, now=datetime.now(UTC) + timedelta(minutes=5))
    latest, before, *_ = published_weeks()
    page = Client().get("/statistics/").content.decode()
    assert f'href="?week={before.week}#week"' in page
    assert "The week after" not in page
    page = Client().get(f"/statistics/?week={before.week}").content.decode()
    assert f'href="?week={latest.week}#week"' in page


def test_before_the_first_week_the_page_says_what_will_come(db):
    page = Client().get("/statistics/").content.decode()
    assert "No week is published yet" in page


@pytest.mark.parametrize("asked", ["week=2026-W99", "week=%00", "week=2026-W47%27--", "take=json"])
def test_what_is_not_published_is_not_found(db, asked):
    assert Client().get(f"/statistics/?{asked}").status_code == 404


def test_figures_take_the_same_queries_however_many_weeks(past, django_assert_max_num_queries):
    publish_due_weeks(actor=OPERATOR, now=datetime.now(UTC) + timedelta(minutes=5))
    with django_assert_max_num_queries(8):
        Client().get("/statistics/")
