"""Feeds on the desk: volume, alarm, keeper, options tried before they hold."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from muhafiz.common.clock import HeldClock
from muhafiz.feeds import queries
from muhafiz.feeds.actions.feeds import change_feed, create_feed
from muhafiz.feeds.actions.silence import watch_feeds
from muhafiz.jobs.queries import jobs
from muhafiz.jobs.worker import run_due
from tests.feeds.test_replay import BROKEN, FIXED
from tests.web.given import OPERATOR
from tests.web.test_workbench import list_report

pytestmark = pytest.mark.django_db
PAGE = "/desk/feeds/generic/"


@pytest.fixture
def listed(db, folders):
    create_feed(
        name="generic", source="generic", options={"mapping": BROKEN}, title="A list",
        actor=OPERATOR, now=datetime.now(UTC),
    )  # fmt: skip
    list_report()


def typed(options, **changes):
    return {"title": "A list", "tlp": "GREEN", "options": json.dumps(options), **changes}


def state():
    return queries.feed_state("generic", now=datetime.now(UTC))


def test_a_feed_shows_its_volume_and_its_last_reports(listed, entered):
    page = entered("analyst").get(PAGE).content.decode()
    assert "list.csv" in page
    assert "Rows of 30 days" in page
    days = queries.feed_days(now=datetime.now(UTC))["generic"]
    assert (len(days), days[-1].rows, days[-1].aside) == (14, 8, 4)


def test_options_are_tried_on_the_last_report_before_they_hold(listed, entered):
    analyst = entered("analyst")
    tried = analyst.post(f"{PAGE}save/", typed({"mapping": FIXED}, act="try")).content.decode()
    assert "8</bdi> rows would be read" in tried
    assert state().options == {"mapping": BROKEN}
    analyst.post(f"{PAGE}save/", typed({"mapping": FIXED}, act="keep", expected_every="60"))
    kept = state()
    assert kept.options == {"mapping": FIXED}
    assert (kept.tlp, kept.expected_every) == ("GREEN", timedelta(hours=1))


@pytest.mark.parametrize(
    "wrong",
    [
        typed({"mapping": {"type": "nonsense"}}),
        typed({}) | {"options": "{no json"},
        typed({}) | {"options": "[1]"},
        typed({}, expected_every="soon"),
        typed({}, tlp="PURPLE"),
    ],
)
@pytest.mark.parametrize("act", ["try", "keep"])
def test_values_that_cannot_be_are_said_and_kept(listed, entered, wrong, act):
    answer = entered("analyst").post(f"{PAGE}save/", wrong | {"act": act, "title": "Typed title"})
    assert answer.status_code == 400
    assert "Typed title" in answer.content.decode()
    assert state().options == {"mapping": BROKEN}


def test_a_mapping_is_guessed_filled_in_and_kept_by_nobody(listed, entered):
    analyst = entered("analyst")
    page = analyst.post(f"{PAGE}save/", typed({"provider": "Typed"}, act="guess"))
    text = page.content.decode()
    assert "suggests is filled in below" in text
    assert "&quot;source_ip&quot;: [" in text
    assert state().options == {"mapping": BROKEN}
    create_feed(name="another", source="generic", actor=OPERATOR, now=datetime.now(UTC))
    answer = analyst.post("/desk/feeds/another/save/", typed({}, act="guess"))
    assert answer.status_code == 400
    assert "no report yet" in answer.content.decode()


def test_options_are_not_tried_on_an_archive_that_was_refused(listed, entered):
    list_report("list.zip", b"PK\x03\x04 no zip")
    for act in ("try", "guess"):
        answer = entered("analyst").post(f"{PAGE}save/", typed({}, act=act))
        assert answer.status_code == 400
        assert "is damaged" in answer.content.decode()


def test_a_fetch_is_tried_as_a_job_that_says_why_it_failed(db, folders, entered):
    analyst = entered("analyst")
    create_feed(name="sw", source="shadowserver", actor=OPERATOR, now=datetime.now(UTC))
    answer = analyst.post("/desk/feeds/sw/save/", typed({}, act="fetch"))
    assert answer["Location"].startswith("/desk/jobs/")
    run_due(HeldClock(datetime.now(UTC)))
    (job,) = [each for each in jobs() if each.name == "feeds.try_fetch"]
    assert job.state == "failed"
    assert job.error


@pytest.mark.parametrize("name", ["api_url", "download_url", "mappings", "api_key", "secret"])
@pytest.mark.parametrize("role", ["analyst", "administrator"])
def test_nobody_in_a_browser_says_where_secrets_go_or_what_is_read(
    db, folders, entered, name, role
):
    client, now = entered(role), datetime.now(UTC)
    standing = {name: str(folders), "provider": "x"}
    create_feed(name="sw", source="shadowserver", options=standing, actor=OPERATOR, now=now)
    for options in ({name: "http://169.254.169.254/"}, {"provider": "x"}):  # another one, or none
        for act in ("try", "fetch", "keep"):
            answer = client.post("/desk/feeds/sw/save/", typed(options, act=act))
            assert answer.status_code == 400
            assert "is set by command" in answer.content.decode()
    made = typed({name: "http://evil.example/"}, name="sw2", source="shadowserver")
    assert client.post("/desk/feeds/make/", made).status_code == 400
    assert queries.feed_state("sw", now=now).options == standing
    assert queries.feed_state("sw2", now=now) is None
    assert jobs() == []
    kept = client.post("/desk/feeds/sw/save/", typed({**standing, "provider": "y"}, act="keep"))
    assert kept.status_code == 302
    assert queries.feed_state("sw", now=now).options == {**standing, "provider": "y"}


def test_a_feed_is_made_switched_off_and_on(listed, entered):
    analyst = entered("analyst")
    made = analyst.post("/desk/feeds/make/", typed({}, name="another", source="n6"))
    assert made["Location"] == "/desk/feeds/another/"
    again = analyst.post("/desk/feeds/make/", typed({}, name="another", source="n6"))
    assert "exists already" in again.content.decode()
    analyst.post(f"{PAGE}switch/", {"state": "off"})
    assert not state().enabled
    analyst.post(f"{PAGE}switch/", {"state": "on"})
    assert state().enabled
    assert analyst.get("/desk/feeds/nothing/").status_code == 404
    assert analyst.get("/desk/feeds/new/").status_code == 200


def test_a_silence_has_a_keeper_and_rests_when_somebody_knows(listed, entered):
    duty = entered("duty_officer")
    now = datetime.now(UTC)
    person = next(iter(page_people(duty)))
    duty.post(f"{PAGE}keeper/", {"person": person})
    assert (state().owner_person, state().owner) == (person, "The duty_officer")
    assert duty.post(f"{PAGE}keeper/", {"person": 99999}).status_code == 404
    assert duty.post(f"{PAGE}acknowledge/", {"hours": "4"}).status_code == 400
    change_feed(name="generic", expected_rows_per_day=10**6, actor=OPERATOR, now=now)
    queries.Feed.objects.filter(name="generic").update(created_at=now - timedelta(days=3))
    watch_feeds(actor=OPERATOR, now=now)
    assert "Too few rows" in duty.get("/desk/feeds/").content.decode()
    duty.post(f"{PAGE}acknowledge/", {"hours": "4", "note": "their server moves"})
    assert queries.silent_feeds(now=datetime.now(UTC)) == []
    assert "their server moves" in duty.get(PAGE).content.decode()
    duty.post(f"{PAGE}keeper/", {"person": ""})
    assert state().owner_person is None


def page_people(client):
    from muhafiz.accounts.queries import people

    assert client.get(PAGE).status_code == 200
    return [each.id for each in people()]


def test_who_may_not_edit_may_read(listed, entered):
    auditor = entered("auditor")
    assert auditor.get(PAGE).status_code == 200
    for path in ("save", "switch", "keeper", "acknowledge"):
        assert auditor.post(f"{PAGE}{path}/", {}).status_code == 403


def test_the_lists_ask_as_many_questions_for_many_as_for_few(listed, entered):
    analyst = entered("analyst")

    def questions(path):
        analyst.get(path)
        with CaptureQueriesContext(connection) as asked:
            analyst.get(path)
        return len(asked)

    few = {path: questions(path) for path in ("/desk/feeds/", PAGE)}
    for number in range(3):
        create_feed(name=f"f{number}", source="n6", actor=OPERATOR, now=datetime.now(UTC))
        list_report(f"{number}.csv", b"when;address;host;port\n2026-11-22;192.0.2.%d;;x\n" % number)
    assert {path: questions(path) for path in few} == few
