"""Every screen asks the database as many questions for three rows as for one."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from muhafiz.accounts.actions.people import grant_role
from muhafiz.accounts.queries import person_actor
from tests.web.conftest import browser_of
from tests.web.crawl import reached
from tests.web.given import OPERATOR, work_on
from tests.web.growth import grow

pytestmark = pytest.mark.django_db

#: Screens whose rows must have become more, or the growth has missed them: rows by their tag.
LISTS = {
    "desk": {
        "queue", "queue-runs", "handovers", "reports", "set-aside", "constituents", "liaison",
        "requests", "notices", "letters", "policies", "feeds", "jobs", "people", "exports",
        "browser-reports", "import", "events",
    },
    "portal": {
        "portal-findings", "portal-notices", "portal-holdings", "portal-contacts", "portal-people",
    },
}  # fmt: skip

#: Screens that ask a few questions for each policy, whatever the rows: each policy plans by itself.
PER_POLICY = {"notice-preview": 8}

_ROW = re.compile(r"<(?:tr|li|article)\b")


def _told(client: Client, address: str) -> tuple[list[str], int]:
    """The questions of one request, but for those of the audit trail, and the page's rows."""
    client.get(address)
    with CaptureQueriesContext(connection) as asked:
        page = client.get(address)
    body = page.content.decode() if not page.streaming else ""
    questions = [one["sql"] for one in asked if '"audit_' not in one["sql"]]
    return questions, len(_ROW.findall(body))


@pytest.fixture
def staff(person):
    found = person("duty_officer")
    for role in ("analyst", "director"):
        grant_role(person_id=found.id, role=role, actor=OPERATOR, now=datetime.now(UTC))
    return found


def test_three_rows_cost_as_much_as_one(world, staff, constituent_client):
    work_on(world)
    viewer = person_actor(staff.id)
    grow(world, 1, viewer=viewer)
    faces = {
        "desk": (browser_of(staff), [*world.screens.values()]),
        "portal": (constituent_client(world.organization, "constituent_admin"), ["/portal/"]),
    }
    few = {}
    for face, (client, starts) in faces.items():
        met = reached(client, starts)
        assert met.wrong == []
        few[face] = {name: (at, *_told(client, at)) for name, at in met.screens.items()}
    for turn in (2, 3):
        grow(world, turn, viewer=viewer)
    dearer, missed = [], []
    for face, (client, _) in faces.items():
        for name, (at, asked, rows) in few[face].items():
            now_asked, now_rows = _told(client, at)
            more = len(now_asked) - len(asked)
            if more < 0 or more > PER_POLICY.get(name, 0) * 2:
                dearer.append((name, len(asked), len(now_asked)))
            if name in LISTS[face] and now_rows < rows + 2:
                missed.append((name, rows, now_rows))
    assert "\n".join(map(str, dearer)) == ""
    assert "\n".join(map(str, missed)) == ""
