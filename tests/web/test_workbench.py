"""The workbench in the browser's own words: groups, rows, mappings, samples."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from muhafiz.common.clock import HeldClock
from muhafiz.feeds import queries
from muhafiz.feeds.actions.feeds import change_feed, create_feed
from muhafiz.feeds.actions.intake import keep_report
from muhafiz.feeds.facts import SetAsideChoice
from muhafiz.jobs.queries import jobs
from muhafiz.jobs.worker import run_due
from tests.feeds.test_replay import BROKEN, GENERIC, HEADED, LISTED
from tests.web.given import OPERATOR

pytestmark = pytest.mark.django_db
TRAITS = {"feed": "generic", "kind": "generic", "reason": "number", "column": "port"}
GROUP = f"/desk/set-aside/group/?{urlencode(TRAITS)}"


def list_report(name="list.csv", rows=GENERIC):
    now = datetime.now(UTC)
    keep_report(feed="generic", file_name=name, raw=rows, received_at=now, actor=OPERATOR, now=now)
    run_due(HeldClock(now))


@pytest.fixture
def aside(db, folders):
    """Four rows whose port is no port, because of the feed's mapping."""
    create_feed(
        name="generic", source="generic", options={"mapping": BROKEN}, actor=OPERATOR,
        now=datetime.now(UTC),
    )  # fmt: skip
    list_report()
    return queries.set_aside_rows()


@pytest.fixture
def analyst(entered):
    return entered("analyst")


def test_a_group_leads_to_its_rows(aside, analyst):
    page = analyst.get("/desk/set-aside/").content.decode()
    assert GROUP.replace("&", "&amp;") in page
    assert "A port or AS number out of range" in page
    rows = analyst.get(GROUP).content.decode()
    assert all(f"/desk/set-aside/{row.id}/" in rows for row in aside)
    assert "data-bulk-bar" in rows


def test_the_row_page_marks_the_fault(aside, analyst):
    page = analyst.get(f"/desk/set-aside/{aside[0].id}/").content.decode()
    assert '<mark class="fault">http-2</mark>' in page
    assert "source_port" in page
    assert f"/desk/set-aside/{aside[0].id}/mapping/" in page


def test_a_correction_is_tried_without_writing_and_then_read(aside, analyst):
    address = f"/desk/set-aside/{aside[0].id}/edit/"
    good = aside[0].raw.decode().replace("http-2", "8080")
    tried = analyst.post(address, {"raw": good, "act": "try"}).content.decode()
    assert "Nothing was written yet" in tried
    assert "8080" in tried
    assert queries.set_aside_row(aside[0].id).state == "open"
    still = analyst.post(address, {"raw": aside[0].raw.decode(), "act": "try"}).content.decode()
    assert "It would stay aside" in still
    assert analyst.post(address, {"raw": good, "act": "read"}).status_code == 302
    assert queries.set_aside_row(aside[0].id).state == "replayed"


@pytest.mark.parametrize(("raw", "act"), [("a\nb", "read"), ("", "try"), ("a\nb", "try")])
def test_what_is_no_row_is_named_and_kept(aside, analyst, raw, act):
    answer = analyst.post(f"/desk/set-aside/{aside[0].id}/edit/", {"raw": raw, "act": act})
    page = answer.content.decode()
    assert "error-summary" in page
    assert raw in page


def typed(**changes):
    return {
        "type": "other",
        "map-time_source": "when",
        "map-source_ip": "address",
        "map-source_port": "port",
        "delimiter": "semicolon",
        **changes,
    }


def test_a_mapping_is_tried_kept_and_the_group_read_again_as_a_job(aside, analyst):
    address = f"/desk/set-aside/{aside[0].id}/mapping/"
    form = analyst.get(address).content.decode()
    assert 'name="map-source_port" value="port"' in form
    tried = analyst.post(f"{address}try/", typed(**{"map-source_port": ""})).content.decode()
    assert "198.51.100.2" in tried
    assert "Stay aside</dt><dd>" in tried
    assert queries.set_aside_extent(SetAsideChoice())[0] == 4
    kept = analyst.post(f"{address}keep/", typed(**{"map-source_port": ""}))
    assert kept.status_code == 302
    assert analyst.get(f"{GROUP}&try=1").content.decode().count("Would be read</span>") == 4
    sent = {"scope": "all", "query": urlencode(TRAITS), "as_of": aside[-1].id, "act": "replay"}
    answer = analyst.post("/desk/set-aside/group/act/", sent)
    assert answer.status_code == 302
    run_due(HeldClock(datetime.now(UTC)))
    assert queries.set_aside_extent(SetAsideChoice())[0] == 0


def test_rules_and_constants_are_edited_and_hold(aside, analyst):
    address = f"/desk/set-aside/{aside[0].id}/mapping/"
    rule = {"when-0-field": "port", "when-0-equals": "x, y", "when-0-type": "c2-server",
            "when-0-identifier": "c2"}  # fmt: skip
    told = rule | {"constant-protocol_transport": "tcp", "constant-source_port": ""}
    half = analyst.post(f"{address}try/", typed(**told | {"when-0-type": ""}))
    assert half.status_code == 400
    assert 'value="x, y"' in half.content.decode(), "what was typed is not lost"
    assert "needs field, equals and type" in half.content.decode()
    assert analyst.post(f"{address}keep/", typed(**told)).status_code == 302
    page = analyst.get(address).content.decode()
    assert 'name="when-0-equals" value="x, y"' in page
    assert 'name="constant-protocol_transport" value="tcp"' in page
    assert analyst.post(f"{address}keep/", typed()).status_code == 302
    assert 'value="x, y"' in analyst.get(address).content.decode(), "not asked, so not touched"
    emptied = typed(**dict.fromkeys(told, ""))
    assert analyst.post(f"{address}keep/", emptied).status_code == 302
    assert 'value="x, y"' not in analyst.get(address).content.decode()


@pytest.mark.parametrize("act", ["try", "keep"])
def test_a_mapping_that_cannot_be_read_is_named_and_nothing_typed_is_lost(aside, analyst, act):
    answer = analyst.post(
        f"/desk/set-aside/{aside[0].id}/mapping/{act}/", typed(type="nonsense", identifier="mine")
    )
    assert answer.status_code == 400
    page = answer.content.decode()
    assert "is no RSIT type" in page
    assert 'value="mine"' in page


def test_ticked_rows_are_dismissed_and_all_that_match_are(aside, entered):
    duty = entered("duty_officer")
    sent = {
        "item": [aside[0].id],
        "note": "test rows",
        "act": "dismiss",
        "query": urlencode(TRAITS),
    }
    assert duty.post("/desk/set-aside/group/act/", sent)["Location"] == GROUP
    assert queries.set_aside_row(aside[0].id).note == "test rows"
    list_report("more.csv", GENERIC.replace(b"100.", b"101."))
    sent = {"scope": "all", "as_of": aside[-1].id, "note": "old", "act": "dismiss"}
    duty.post("/desk/set-aside/group/act/", sent | {"query": urlencode(TRAITS)})
    assert queries.set_aside_extent(SetAsideChoice())[0] == 4, "what came later is left alone"
    ticked = {"item": [queries.set_aside_rows()[0].id], "act": "replay"}
    assert duty.post("/desk/set-aside/group/act/", ticked).status_code == 302


def test_one_is_told_when_the_whole_report_is_read_anew(db, folders, analyst):
    given = {"actor": OPERATOR, "now": datetime.now(UTC)}
    wrong = {"type": "other", "map": {"source_ip": ["ip"]}, "delimiter": ";"}
    create_feed(name="generic", source="generic", options={"mapping": wrong}, **given)
    list_report(rows=HEADED)
    change_feed(name="generic", options={"mapping": LISTED}, **given)
    ticked = {"item": [row.id for row in queries.set_aside_rows()], "act": "replay"}
    told = analyst.post("/desk/set-aside/group/act/", ticked, follow=True).content.decode()
    assert "it is being read anew as a whole" in told


def test_a_sample_is_kept_accepted_and_removed(aside, analyst):
    analyst.post(f"/desk/set-aside/{aside[0].id}/sample/", {"note": "a list"})
    (sample,) = queries.samples()
    assert "a list" in analyst.get("/desk/set-aside/").content.decode()
    analyst.post(f"/desk/samples/{sample.id}/", {"act": "accept"})
    analyst.post(f"/desk/samples/{sample.id}/", {"act": "forget"})
    assert queries.samples() == []


def test_who_may_not_mend_may_read(aside, entered):
    auditor = entered("auditor")
    row = f"/desk/set-aside/{aside[0].id}/"
    assert auditor.get(row).status_code == 200
    for path in (
        f"{row}edit/",
        f"{row}sample/",
        "/desk/set-aside/group/act/",
        f"{row}mapping/keep/",
    ):
        assert auditor.post(path, {"act": "dismiss", "scope": "all"}).status_code == 403
    assert auditor.get(f"{row}mapping/").status_code == 403


def test_groups_and_rows_ask_as_many_questions_for_many_as_for_few(aside, analyst):
    def questions(path):
        analyst.get(path)
        with CaptureQueriesContext(connection) as asked:
            analyst.get(path)
        return len(asked)

    few = {path: questions(path) for path in ("/desk/set-aside/", GROUP)}
    for at in range(3):
        list_report(f"{at}.csv", GENERIC.replace(b"100.", b"10%d." % (at + 2)))
    assert {path: questions(path) for path in few} == few


def test_a_job_has_its_page(aside, entered):
    duty = entered("duty_officer")
    number = jobs(name="feeds.process_report")[0].job_id
    page = duty.get(f"/desk/jobs/{number}/").content.decode()
    assert "feeds.process_report" in page
    assert "/desk/reports/" in page
    part = duty.get(f"/desk/jobs/{number}/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert duty.get("/desk/jobs/999999/").status_code == 404


@pytest.fixture
def many(db, folders, monkeypatch):
    """Four rows whose port is no port, of which one is kept by itself."""
    from muhafiz.feeds.actions import keeping

    monkeypatch.setattr(keeping, "ONE_BY_ONE", 1)
    create_feed(
        name="generic", source="generic", options={"mapping": BROKEN}, actor=OPERATOR,
        now=datetime.now(UTC),
    )  # fmt: skip
    list_report()
    return queries.set_aside_rows()


def test_rows_that_stand_together_are_counted_shown_and_settled_together(many, analyst):
    one, others = many
    page = analyst.get(GROUP).content.decode()
    assert 'and <bdi dir="ltr">2</bdi> more with this fault' in page
    assert 'All <bdi dir="ltr">4</bdi> that match the filters' in page
    row = analyst.get(f"/desk/set-aside/{others.id}/").content.decode()
    assert 'It stands for <bdi dir="ltr">2</bdi> more rows' in row
    assert "Correct it and read it again" not in row
    assert 'Dismiss all <bdi dir="ltr">3</bdi>' in row
    assert (
        "Correct it and read it again" in analyst.get(f"/desk/set-aside/{one.id}/").content.decode()
    )
    tried = analyst.get(f"{GROUP}&try=1").content.decode()
    assert tried.count("Stay aside") == 1
    note = {"row": others.id, "note": "not ours"}
    answer = analyst.post("/desk/set-aside/dismiss/", note, follow=True).content.decode()
    assert "3 rows were dismissed" in answer
    assert queries.report(one.report_id).rows_open == 1


def test_times_and_comments_are_mended_with_the_mapping(aside, analyst):
    address = f"/desk/set-aside/{aside[0].id}/mapping/"
    typed = {
        "map-source_ip": "address", "map-time_source": "when", "delimiter": "semicolon",
        "type": "other", "time_zone": "Asia/Karachi", "time_format": "%Y-%m-%d %H:%M:%S\n",
        "comment": "#",
    }  # fmt: skip
    tried = analyst.post(f"{address}try/", typed).content.decode()
    assert "2026-11-21T21:00:00+00:00" in tried
    assert analyst.post(f"{address}keep/", typed).status_code == 302
    (mapping,) = [f.options["mapping"] for f in queries.feed_states(now=datetime.now(UTC))]
    assert (mapping["time_zone"], mapping["time_format"]) == ("Asia/Karachi", ["%Y-%m-%d %H:%M:%S"])
    assert mapping["comment"] == "#"
    page = analyst.get(address).content.decode()
    assert 'value="Asia/Karachi"' in page
    assert "%Y-%m-%d %H:%M:%S</textarea>" in page
    wrong = analyst.post(f"{address}keep/", typed | {"time_zone": "Mars"})
    assert wrong.status_code == 400
    assert "Mars" in wrong.content.decode()


def test_letters_of_another_code_page_are_corrected_as_they_are_seen(db, folders, analyst):
    create_feed(
        name="generic", source="generic", options={"mapping": BROKEN}, actor=OPERATOR,
        now=datetime.now(UTC),
    )  # fmt: skip
    list_report("list.csv", GENERIC.replace(b"h2.example.org", "café".encode("cp1252")))
    row = queries.set_aside_rows()[0]
    assert "café" in analyst.get(f"/desk/set-aside/{row.id}/").content.decode()
