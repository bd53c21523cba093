"""What the lake answers, against Python's own arithmetic; and what it refuses."""

from __future__ import annotations

import ipaddress
import threading
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from muhafiz.lake import compilation, queries
from muhafiz.lake.actions.compaction import compact_day
from muhafiz.lake.blocks import scan_blocks
from muhafiz.lake.catalogue import event_segments
from muhafiz.lake.layout import place_range
from muhafiz.lake.query import Cursor, EventQuery, Without
from muhafiz.lake.refusals import BadQuery, LakeBusy, QueryTooSlow
from tests.lake.rows import NOON, host, row, sixteen

ADDRESSES = (
    "203.0.113.5",
    "203.0.114.5",
    "198.51.100.9",
    "2001:db8::1",
    "2001:db8:0:1::1",
    "fe80::1",
    None,
)
DESTINATIONS = ("192.0.2.7", "192.0.2.200", None)
NAMES = ("www.example.org", "example.org", "badexample.org", "example.org.pk", None)


@pytest.fixture
def stored(lake, engine):
    """Ninety events over three days, two segments a day, some seen again."""
    rows = [
        row(
            source_ip=ADDRESSES[n % 7],
            source_address=sixteen(ADDRESSES[n % 7]),
            source_port=n,
            source_fqdn=NAMES[n % 5],
            source_asn=64500 + n % 3,
            organization_id=None if n % 4 == 0 else n % 4,
            network=f"AS{64500 + n % 3}",
            classification_type=("spam", "scanner", None)[n % 3],
            feed_code=("scan_telnet", "scan_ssl")[n % 2],
            severity=("high", "low", "info", None)[n % 4],
            sector=("energy", "finance", None)[n % 3],
            classification_taxonomy=("vulnerable", "abusive-content")[n % 2],
            classification_identifier=("open-telnet", "open-ssl", None)[n % 3],
            protocol_transport=("tcp", "udp")[n % 2],
            destination_ip=DESTINATIONS[n % 3],
            destination_address=sixteen(DESTINATIONS[n % 3]),
            time_source=NOON + timedelta(days=n % 3, minutes=n),
        )
        for n in range(90)
    ]
    lake.append(rows[:50])
    lake.append(rows[50:])
    lake.append(rows[:10])
    return [{**line, "report_id": 1 if n < 50 else 2} for n, line in enumerate(rows)]


def within(name: str | None, suffix: str) -> bool:
    return name is not None and (name == suffix or name.endswith("." + suffix))


def inside(text: str | None, cidr: str) -> bool:
    return text is not None and ipaddress.ip_address(text) in ipaddress.ip_network(cidr)


CASES = {
    "all": (EventQuery(limit=None), lambda r: True),
    "owner": (
        EventQuery(organization_ids=frozenset({1, 3})),
        lambda r: r["organization_id"] in {1, 3},
    ),
    "nobody": (EventQuery(nobody=True), lambda r: r["organization_id"] is None),
    "owner or nobody": (
        EventQuery(organization_ids=frozenset({2}), nobody=True),
        lambda r: r["organization_id"] in {None, 2},
    ),
    "v4": (EventQuery(cidr="203.0.112.0/23"), lambda r: inside(r["source_ip"], "203.0.112.0/23")),
    "all v4": (EventQuery(cidr="0.0.0.0/0"), lambda r: inside(r["source_ip"], "0.0.0.0/0")),
    "v6": (EventQuery(cidr="2001:db8::/64"), lambda r: inside(r["source_ip"], "2001:db8::/64")),
    "one v6": (EventQuery(cidr="2001:db8::1"), lambda r: r["source_ip"] == "2001:db8::1"),
    "upper v6": (EventQuery(cidr="8000::/1"), lambda r: inside(r["source_ip"], "8000::/1")),
    "asn": (EventQuery(asn=64501), lambda r: r["source_asn"] == 64501),
    "suffix": (
        EventQuery(domain_suffix="Example.ORG."),
        lambda r: within(r["source_fqdn"], "example.org"),
    ),
    "type": (
        EventQuery(classification_types=frozenset({"spam"})),
        lambda r: r["classification_type"] == "spam",
    ),
    "feed": (
        EventQuery(feed_codes=frozenset({"scan_ssl"})),
        lambda r: r["feed_code"] == "scan_ssl",
    ),
    "time": (
        EventQuery(since=NOON + timedelta(minutes=30), until=NOON + timedelta(days=1, minutes=40)),
        lambda r: (
            NOON + timedelta(minutes=30) <= r["time_source"] < NOON + timedelta(days=1, minutes=40)
        ),
    ),
    "received": (EventQuery(received_since=NOON + timedelta(days=2)), lambda r: False),
    "report": (EventQuery(report_id=2), lambda r: r["report_id"] == 2),
    "several": (
        EventQuery(asn=64500, nobody=True, classification_types=frozenset({"spam", "scanner"})),
        lambda r: (
            r["source_asn"] == 64500
            and r["organization_id"] is None
            and r["classification_type"] is not None
        ),
    ),
    "severity": (
        EventQuery(severities=frozenset({"high", "low"})),
        lambda r: r["severity"] in {"high", "low"},
    ),
    "taxonomy": (
        EventQuery(classification_taxonomies=frozenset({"vulnerable"})),
        lambda r: r["classification_taxonomy"] == "vulnerable",
    ),
    "identifier": (
        EventQuery(classification_identifiers=frozenset({"open-telnet"})),
        lambda r: r["classification_identifier"] == "open-telnet",
    ),
    "sector": (EventQuery(sectors=frozenset({"energy"})), lambda r: r["sector"] == "energy"),
    "network": (
        EventQuery(networks=frozenset({"AS64501"})),
        lambda r: r["network"] == "AS64501",
    ),
    "port": (EventQuery(source_ports=frozenset({3, 80})), lambda r: r["source_port"] in {3, 80}),
    "protocol": (
        EventQuery(protocols=frozenset({"udp"})),
        lambda r: r["protocol_transport"] == "udp",
    ),
    "destination": (
        EventQuery(destination_cidr="192.0.2.0/25"),
        lambda r: inside(r["destination_ip"], "192.0.2.0/25"),
    ),
    "key range": (EventQuery(key_range=(-(2**63), 2**63 - 1)), lambda r: True),
    "without owners": (
        EventQuery(without=Without(organization_ids=frozenset({1, 2}))),
        lambda r: r["organization_id"] not in {1, 2},
    ),
    "without nobody's": (
        EventQuery(without=Without(nobody=True)),
        lambda r: r["organization_id"] is not None,
    ),
    "without values": (
        EventQuery(
            without=Without(
                classification_types=frozenset({"spam"}),
                severities=frozenset({"high"}),
                source_ports=frozenset({0, 1, 2}),
                asns=frozenset({64502}),
                feed_codes=frozenset({"none so"}),
            )
        ),
        lambda r: (
            r["classification_type"] != "spam"
            and r["severity"] != "high"
            and r["source_port"] > 2
            and r["source_asn"] != 64502
        ),
    ),
    "hostile": (EventQuery(feed_codes=frozenset({"x' OR '1'='1"})), lambda r: False),
}


@pytest.mark.parametrize("compacted", [False, True])
def test_every_filter_takes_the_rows_that_python_takes(stored, lake, compacted):
    if compacted:
        for day in {line["time_source"].date() for line in stored}:
            compact_day(day, actor=lake.actor, now=lake.now)
    for name, (query, chosen) in CASES.items():
        expected = sorted(line["source_port"] for line in stored if chosen(line))
        found = queries.scan(query)
        assert sorted(found["source_port"].to_pylist()) == expected, name
        assert queries.count(query) == len(expected), name
        ranked = Counter(line["organization_id"] for line in stored if chosen(line))
        told = {line.value: line.events for line in queries.top(query, "organization")}
        assert told == ranked, name
        daily = Counter(
            (line["time_source"].date(), line["classification_type"])
            for line in stored
            if chosen(line)
        )
        told_daily = queries.series(query)
        assert {(d.day, d.classification_type): d.events for d in told_daily} == daily, name


@pytest.mark.parametrize(
    ("by", "column"),
    [
        ("type", "classification_type"),
        ("network", "network"),
        ("feed", "feed_code"),
        ("asn", "source_asn"),
        ("sector", "sector"),
        ("taxonomy", "classification_taxonomy"),
        ("identifier", "classification_identifier"),
        ("severity", "severity"),
        ("tlp", "tlp"),
        ("port", "source_port"),
        ("address", "source_ip"),
    ],
)
def test_rankings(stored, by, column):
    expected = Counter(line[column] for line in stored)
    found = queries.top(EventQuery(), by, 2)
    assert [line.events for line in found] == [n for _, n in expected.most_common(2)]
    assert all(expected[line.value] == line.events for line in found)


@pytest.mark.parametrize("step", ["hour", "day"])
@pytest.mark.parametrize(
    ("bands", "column"), [("type", "classification_type"), ("severity", "severity")]
)
def test_trends(stored, step, bands, column):
    def start(moment):
        whole = moment.replace(minute=0, second=0, microsecond=0)
        return whole if step == "hour" else whole.replace(hour=0)

    query = EventQuery(asn=64500)
    chosen = [line for line in stored if line["source_asn"] == 64500]
    expected = Counter((start(line["time_source"]), line[column]) for line in chosen)
    points = queries.trend(query, step=step, bands=bands)
    assert {(p.start, p.value): p.events for p in points} == expected
    assert [p.start for p in points] == sorted(p.start for p in points)
    assert queries.trend(EventQuery(asn=1), step=step, bands=bands) == []


@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_blocks_are_the_scan_cut_small(lake, order, rows):
    same = [host(n, time_source=NOON) for n in range(20)]  # one moment: cut by key
    lake.append(same + [host(n, time_source=NOON + timedelta(hours=n)) for n in range(30, 60)])
    query = EventQuery(order=order, since=NOON, limit=None)
    blocks = list(scan_blocks(query, rows))
    assert max(block.num_rows for block in blocks) <= rows
    assert pa.concat_tables(blocks).equals(queries.scan(query))


def test_sightings_of_an_event_name_their_reports(stored, lake):
    [line] = [r for r in queries.scan(EventQuery(limit=None)).to_pylist() if r["source_port"] == 3]
    [again] = queries.sightings(line["key"], line["day"])
    assert (again.report_id, again.sightings) == (3, 1)
    assert queries.sightings(line["key"], line["day"] + timedelta(days=9)) == []
    compact_day(line["day"], actor=lake.actor, now=lake.now)
    assert queries.sightings(line["key"], line["day"]) == []


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_pages_follow_each_other_without_gap_or_repetition(stored, order):
    query = EventQuery(limit=7, order=order)
    ports: list[int] = []
    while (page := queries.scan(query)).num_rows:
        assert page.num_rows <= 7
        ports += page["source_port"].to_pylist()
        query = replace(query, after=queries.next_cursor(page))
    expected = sorted(stored, key=lambda line: line["time_source"], reverse=order == "newest")
    assert ports == [line["source_port"] for line in expected]
    assert queries.next_cursor(page) is None


def test_one_event_with_its_sightings(stored):
    [line] = [r for r in queries.scan(EventQuery(limit=None)).to_pylist() if r["source_port"] == 3]
    found = queries.event(line["key"], line["day"])
    assert found is not None
    assert (found.sightings, found.columns["source_port"]) == (2, 3)
    assert queries.event(line["key"], line["day"] + timedelta(days=1)) is None
    assert queries.event(line["key"] + 1, line["day"]) is None


def test_segments_that_cannot_answer_are_not_opened(lake):
    lake.append([row(organization_id=5, source_ip="198.51.100.1", source_fqdn="a.example")])
    lake.append([row(organization_id=9, source_ip="203.0.113.1", feed_code="scan_ssl")])
    for query in (
        EventQuery(organization_ids=frozenset({5})),
        EventQuery(cidr="198.51.100.0/24"),
        EventQuery(domain_suffix="a.example"),
        EventQuery(feed_codes=frozenset({"scan_telnet"})),
        EventQuery(report_id=1),
    ):
        assert len(event_segments(query)) == 1
    assert event_segments(EventQuery(nobody=True)) == []
    assert event_segments(EventQuery(until=NOON - timedelta(days=1))) == []


def test_an_empty_lake_answers(lake):
    assert queries.scan(EventQuery()).num_rows == 0
    assert queries.count(EventQuery()) == 0
    assert queries.top(EventQuery(), "asn") == queries.series(EventQuery()) == []


def test_volumes(stored, lake):
    days = queries.volumes()
    assert [each.events for each in days] == [30, 30, 30]
    assert sum(each.resightings for each in days) == 10
    assert days[0].day > days[1].day
    compact_day(days[0].day, actor=lake.actor, now=lake.now)
    assert queries.volumes()[0].resightings == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"limit": 0},
        {"limit": 10**9},
        {"cidr": "10.0.0.0/40"},
        {"asn": 0},
        {"asn": 2**32},
        {"domain_suffix": "a b"},
        {"domain_suffix": ""},
        {"domain_suffix": "x" * 300},
        {"since": datetime(2026, 1, 1)},  # noqa: DTZ001 - a time without its zone is the point
        {"since": NOON, "until": NOON},
        {"after": "nonsense"},
        {"order": "random"},
        {"organization_ids": frozenset({"1"})},
        {"organization_ids": frozenset({2**63})},
        {"feed_codes": "scan_telnet"},
        {"keys": frozenset(range(20_001))},
        {"report_id": -1},
        {"source_ports": frozenset({70_000})},
        {"source_ports": frozenset({"80"})},
        {"destination_cidr": "nowhere"},
        {"key_range": (5, 2**63)},
    ],
)
def test_questions_without_sense_are_refused(wrong):
    with pytest.raises(BadQuery):
        EventQuery(**wrong)


@given(st.integers(-(2**62), 2**62), st.integers(-(2**63), 2**63 - 1))
def test_cursors_come_back(moment, key):
    assert Cursor.read(Cursor(moment, key).text()) == Cursor(moment, key)


@given(st.ip_addresses(v=6), st.integers(0, 128), st.ip_addresses())
def test_the_number_beside_the_address_never_loses_an_address(base, length, other):
    network = ipaddress.ip_network(f"{base}/{length}", strict=False)
    ends = network.network_address.packed, network.broadcast_address.packed
    places = place_range(*ends)
    for address in (base, other):
        raw = sixteen(str(address))
        if places is not None and ends[0] <= raw <= ends[1]:
            high, low = int.from_bytes(raw[:8], "big", signed=True), int.from_bytes(raw[8:], "big")
            assert places[0] <= (high or low) <= places[1]


@pytest.mark.parametrize("dialect", ["duckdb", "spark"])
def test_every_question_is_sql_of_both_engines(dialect):
    for query, _ in CASES.values():
        whole = replace(query, keys=frozenset({-5, 7}), after=Cursor(5, -3).text())
        for question in (
            compilation.page(whole),
            compilation.number(whole),
            compilation.ranking(whole, "network"),
            compilation.daily(whole),
            compilation.ranking(whole, "severity", 20),
            compilation.over_time(whole, "hour", "severity"),
            compilation.over_time(whole, "day", "taxonomy"),
            compilation.sightings_of(-7),
            compilation.further_sightings(),
        ):
            parsed = sqlglot.parse_one(question.sql(dialect=dialect), read=dialect)
            assert isinstance(parsed, exp.Select)


def test_an_engine_reads_tables_and_stops_in_time(engine):
    numbers = pa.table({"n": list(range(100_000))})
    total = exp.select(exp.Sum(this=exp.column("n"))).from_("numbers")
    assert engine.run(total, {}, {"numbers": numbers}, seconds=30).column(0)[0].as_py() == sum(
        range(100_000)
    )
    endless = sqlglot.parse_one(
        "SELECT COUNT(*) FROM numbers AS a, numbers AS b WHERE a.n * b.n % 7 = 3", read="duckdb"
    )
    with pytest.raises(QueryTooSlow):
        engine.run(endless, {}, {"numbers": numbers}, seconds=0.2)


def test_too_many_wide_questions_wait_and_are_refused(stored, monkeypatch):
    monkeypatch.setattr(queries, "WIDE_ROWS", 0)
    monkeypatch.setattr(queries, "SECONDS", 0.05)
    monkeypatch.setattr(queries, "_wide", threading.BoundedSemaphore(1))
    with queries._place_for([]), pytest.raises(LakeBusy):
        queries.count(EventQuery(asn=64500))
    assert queries.count(EventQuery(asn=64500)) == 30


def test_times_come_back_in_utc(stored):
    first = queries.scan(EventQuery(limit=1)).to_pylist()[0]["first_seen"]
    assert first.utcoffset() == timedelta(0)
    assert first == first.astimezone(UTC)


@pytest.mark.parametrize(
    "by",
    [
        (),
        ("classification_type",),
        ("classification_type", "day"),
        ("sector", "classification_taxonomy", "severity"),
    ],
)
@pytest.mark.parametrize("case", ["all", "owner", "nobody"])
def test_a_tally_counts_events_and_their_owners(stored, case, by):
    query, wanted = CASES[case]
    chosen = [{**line, "day": line["time_source"].date()} for line in stored if wanted(line)]
    events, owners = Counter(), {}
    for line in chosen:
        values = tuple(line.get(name) for name in by)
        events[values] += 1
        owners.setdefault(values, set()).add(line["organization_id"])
    told = queries.tally(query, by)
    assert {line.values: line.events for line in told} == events
    assert {line.values: line.organizations for line in told} == {
        values: len(ids - {None}) for values, ids in owners.items()
    }


def test_a_tally_of_nothing(lake):
    assert queries.tally(EventQuery(), ["sector"]) == []
    assert [(line.events, line.organizations) for line in queries.tally(EventQuery(), [])] == [
        (0, 0)
    ]
