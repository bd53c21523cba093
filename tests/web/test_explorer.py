"""What the explorer's address asks is what the lake is asked; every value narrows or leaves out."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from muhafiz.audit.models import LogEntry
from muhafiz.common.actor import Actor
from muhafiz.formats.rsit import TAXONOMY_OF
from muhafiz.lake import queries
from muhafiz.lake.answers import Point
from muhafiz.lake.query import EventQuery, Without
from muhafiz.lake.refusals import LakeBusy, QueryTooSlow
from muhafiz.triage.models import Item
from muhafiz.web.desk.explorer.filters import params_of, read_query
from muhafiz.web.desk.explorer.spans import PRESETS, preset, stamp
from muhafiz.web.desk.explorer.trends import make_trend
from muhafiz.web.desk.explorer.wording import Told, Wording

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ANALYST = Actor("person", "1", "Analyst", frozenset({"analyst"}))

WORD = st.from_regex(r"[a-z0-9][a-z0-9_.-]{0,20}", fullmatch=True)
WORDS = st.frozensets(WORD, max_size=3)
TYPES = st.frozensets(st.sampled_from(sorted(TAXONOMY_OF)), max_size=3)
TAXONOMIES = st.frozensets(st.sampled_from(sorted(set(TAXONOMY_OF.values()))), max_size=2)
SEVERITIES = st.frozensets(st.sampled_from(["critical", "high", "low", "info"]), max_size=3)
PORTS = st.frozensets(st.integers(0, 65_535), max_size=3)
NUMBERS = st.frozensets(st.integers(0, 2**62), max_size=3)
MOMENTS = st.integers(0, 2**31).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
LEFT_OUT = st.builds(
    Without,
    organization_ids=NUMBERS, sectors=WORDS, networks=WORDS, asns=NUMBERS,
    classification_taxonomies=TAXONOMIES, classification_types=TYPES,
    classification_identifiers=WORDS, severities=SEVERITIES, feed_codes=WORDS, source_ports=PORTS,
)  # fmt: skip


@st.composite
def asked(draw):
    since = draw(st.none() | MOMENTS)
    until = draw(st.none() | MOMENTS)
    if since is not None and until is not None and since >= until:
        since, until = until, since + timedelta(seconds=1)
    without = draw(LEFT_OUT)
    nobody = draw(st.sampled_from(["", "yes", "no"]))
    return EventQuery(
        organization_ids=draw(NUMBERS),
        nobody=nobody == "yes",
        cidr=draw(st.none() | st.ip_addresses().map(lambda a: f"{a}/{a.max_prefixlen}")),
        destination_cidr=draw(st.sampled_from([None, "192.0.2.0/25", "2001:db8::/48"])),
        asn=draw(st.none() | st.integers(1, 2**32 - 1)),
        domain_suffix=draw(st.sampled_from([None, "example.org", "a-b.example"])),
        classification_types=draw(TYPES),
        classification_taxonomies=draw(TAXONOMIES),
        classification_identifiers=draw(WORDS),
        severities=draw(SEVERITIES),
        sectors=draw(WORDS),
        networks=draw(WORDS),
        source_ports=draw(PORTS),
        protocols=draw(WORDS),
        feed_codes=draw(WORDS),
        report_id=draw(st.none() | st.integers(0, 2**62)),
        since=since,
        until=until,
        order=draw(st.sampled_from(["newest", "oldest"])),
        limit=None,
        without=Without(
            **{n: getattr(without, n) for n in Without.__slots__ if n != "nobody"},
            nobody=nobody == "no",
        ),
    )


@settings(max_examples=60)
@given(asked())
def test_a_query_comes_back_from_its_address(query):
    params = QueryDict(urlencode(params_of(query)))
    reading = read_query(params, viewer=ANALYST, now=NOW)
    assert reading.asked.errors == {}
    assert reading.query == query


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(["cidr", "asn", "since", "until", "port", "type", "domain",
                                        "report", "severity", "after", "destination", "not_port",
                                        "span", "nobody", "order"]), st.text(max_size=30)))  # fmt: skip
def test_nothing_typed_breaks_the_reading(typed):
    params = QueryDict(mutable=True)
    params.update(typed)
    reading = read_query(params, viewer=ANALYST, now=NOW)
    assert (reading.query is None) == bool(reading.asked.errors)


@pytest.mark.parametrize("code", PRESETS)
def test_presets_are_whole_hours_or_days_up_to_now(code):
    span = preset(code, NOW)
    assert span.until is None
    if code != "all":
        assert span.since <= NOW - timedelta(hours=23)
        assert (span.since.minute, span.since.second) == (0, 0)


@given(MOMENTS)
def test_moments_come_back_from_their_stamps(moment):
    assert datetime.fromisoformat(stamp(moment)) == moment


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("code", "bars", "step"),
    [("24h", 24, "hour"), ("7d", 7, "day"), ("30d", 30, "day"), ("90d", 90, "day")],
)
def test_a_trend_has_a_bar_for_each_step_and_counts_everything(code, bars, step):
    points = [Point(NOW.replace(minute=0), "spam", 5), Point(NOW.replace(minute=0), None, 2)]
    trend = make_trend(points, preset(code, NOW), QueryDict("type=spam"), bands="type", now=NOW)
    assert len(trend.rows) == len(trend.drawing.slots) == bars
    assert trend.hourly == (step == "hour")
    assert (trend.total, trend.outside) == (7, 0)
    assert sum(row.events for row in trend.rows) == 7
    last = QueryDict(trend.drawing.slots[-1].address[1:])
    assert last["type"] == "spam"
    assert read_query(last, viewer=ANALYST, now=NOW).span.since <= NOW


@pytest.mark.django_db
def test_ages_are_told_by_weeks_and_what_falls_outside_is_said():
    points = [
        Point(NOW - timedelta(days=900), "spam", 3),
        Point(NOW - timedelta(days=7000), None, 1),
    ]
    points += [Point(NOW + timedelta(days=3000), "spam", 1)]
    points.sort(key=lambda point: point.start)
    trend = make_trend(points, preset("all", NOW), QueryDict(), bands="type", now=NOW)
    assert trend.weekly
    assert len(trend.rows) <= 130
    assert trend.total == 5
    assert trend.outside == 2


@pytest.mark.django_db
def test_the_page_shows_trend_and_table_and_the_part_shows_top_lists(world, all_roles):
    page = unescape(all_roles.get("/desk/events/").content.decode())
    assert page.count("data-slot") == 30
    assert 'hx-get="?part=top"' in page
    part = all_roles.get("/desk/events/?part=top", headers={"HX-Request": "true"})
    text = unescape(part.content.decode())
    assert "<html" not in text
    assert f"?organization={world.organization}" in text
    assert f"?not_organization={world.organization}" in text
    whole = all_roles.get("/desk/events/?part=top").content.decode()
    assert "<html" in whole, "without scripts the part is a page of its own"


@pytest.mark.django_db
def test_leaving_out_and_narrowing_meet(world, all_roles):
    def found(address):
        return all_roles.get(f"/desk/events/{address}").context["page"].found.rows

    every = len(found("?"))
    only = len(found(f"?organization={world.organization}"))
    without = len(found(f"?not_organization={world.organization}"))
    assert 0 < only < every
    assert only + without == every
    assert len(found("?nobody=yes")) + len(found("?nobody=no")) == every
    assert found("?port=1") == []


@pytest.mark.django_db
def test_chosen_columns_stand_in_the_table(world, all_roles):
    for asked_for in ("?columns=asn,what", "?column=asn&column=what"):
        heads = all_roles.get(f"/desk/events/{asked_for}").context["page"].found.heads
        assert [code for code, _kind in heads] == ["what", "asn"]
    assert all_roles.get("/desk/events/?columns=nonsense").status_code == 400


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "media"), [("trend.csv", "text/csv"), ("trend.svg", "image/svg+xml")]
)
def test_the_trend_can_be_taken_along(world, all_roles, name, media):
    answer = all_roles.get(f"/desk/events/?part={name}")
    assert answer["Content-Type"].startswith(media)
    assert answer["Content-Disposition"].startswith("attachment")
    text = answer.content.decode()
    assert "var(--" not in text, "no style sheet is there to say what a token is"


@pytest.mark.django_db
@pytest.mark.parametrize("refusal", [LakeBusy(), QueryTooSlow(seconds=10)])
def test_a_limit_of_the_lake_becomes_words_and_the_filters_stay(
    world, all_roles, monkeypatch, refusal
):
    def refuse(*_given, **_named):
        raise refusal

    monkeypatch.setattr(queries, "trend", refuse)
    monkeypatch.setattr(queries, "scan", refuse)
    answer = all_roles.get("/desk/events/?cidr=203.0.113.0/24")
    assert answer.status_code == 200
    page = unescape(answer.content.decode())
    assert str(refusal) in page
    assert 'value="203.0.113.0/24"' in page


@pytest.mark.django_db
def test_reading_is_written_down_with_its_filters(world, all_roles):
    all_roles.get("/desk/events/?type=scanner&type=brute-force")
    last = LogEntry.objects.order_by("-index").first()
    assert last.action == "lake.read_events"
    assert "scanner, brute-force" in last.details


@pytest.mark.django_db
def test_an_event_tells_its_whole_way(world, all_roles):
    address = world.screens["event"]
    with CaptureQueriesContext(connection) as counted:
        page = all_roles.get(address)
    text = unescape(page.content.decode())
    row = page.context["row"]
    told_there = f'"{row["source_ip"]}","tcp",23,"{row["source_fqdn"]}"'
    assert told_there in page.context["raw"], "the row stands as it was delivered"
    assert page.context["told"], "the notice that told of it"
    assert page.context["told"][0][1], "and its letters"
    assert f"/desk/reports/{world.report}/" in text
    assert row["source_fqdn"].replace(".", "[.]") in text
    assert len(counted) < 60
    near = all_roles.get(f"{address}?part=near", headers={"HX-Request": "true"})
    assert "<html" not in near.content.decode()
    assert near.context["rows"]


@pytest.mark.django_db
def test_an_event_speaks_in_words_and_leads_to_the_item_about_its_finding(world, all_roles):
    rows = all_roles.get("/desk/events/?span=all").context["page"].found.rows
    pages = [row[1].pivot for row in rows if row[1].look == "event"]

    def found(link: str) -> list[str]:
        texts = [all_roles.get(path).content.decode() for path in pages]
        return [text for text in texts if re.search(f'href="{link}"><bdi[^>]*>F-', text)]

    texts = found(r"/desk/queue/\d+/")
    assert texts, "to the item about it"
    assert not found(r"/desk/constituents/\d+/#findings")
    heads = {re.search(r"<h1>(.*?)</h1>", text, re.DOTALL).group(1) for text in texts}
    assert any(head.startswith("Services that should not be open") for head in heads), heads
    Item.objects.filter(kind="finding").update(kind="never-came")
    assert found(r"/desk/constituents/\d+/#findings"), "to its owner's findings"


def test_a_type_has_words_and_what_rsit_does_not_know_stays_as_it_is():
    words = Wording("ur", {})
    assert words.told("type", "phishing").words == "فشنگ"
    assert words.told("type", "novel-kind") == Told("novel-kind", code=True)
