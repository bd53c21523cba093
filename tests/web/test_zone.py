"""The request's zone is the nation's, and costs nothing where no time is shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from muhafiz.rulebook.actions.profile import load_profile
from muhafiz.web.zone import NationalZone
from tests.web.given import OPERATOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def karachi(now) -> NationalZone:
    load_profile("pakistan", actor=OPERATOR, now=now)
    return NationalZone(now)


def test_moments_and_days_are_those_of_the_national_zone(karachi, now):
    zone = ZoneInfo("Asia/Karachi")
    assert now.astimezone(karachi).isoformat() == now.astimezone(zone).isoformat()
    assert timezone.localtime(now, karachi).hour == now.hour + 5
    day = datetime(2026, 11, 23, tzinfo=karachi)
    assert day.astimezone(UTC) == datetime(2026, 11, 22, 19, tzinfo=UTC)
    assert (day.utcoffset(), day.dst(), day.tzname()) == (timedelta(hours=5), timedelta(0), "PKT")
    with timezone.override(karachi):
        assert timezone.get_current_timezone_name() == "Asia/Karachi"
        assert timezone.make_aware(datetime(2026, 11, 23)) == day  # noqa: DTZ001 - that is the question


def test_it_is_looked_up_once_and_only_when_needed(karachi, now, django_assert_num_queries):
    with django_assert_num_queries(0), timezone.override(karachi):
        pass
    with django_assert_num_queries(1):
        now.astimezone(karachi)
        now.astimezone(karachi)
