"""Shadowserver's reports: names, mappings, every way in which a row can be bad."""

from __future__ import annotations

import io
import json
import tomllib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from muhafiz.feeds.columns.mapping import BadMapping
from muhafiz.feeds.sources import ParseContext, source_named
from muhafiz.feeds.sources.shadowserver import MAPPINGS, mapping_for, mappings, report_type
from muhafiz.formats.rsit import TAXONOMY_OF

if TYPE_CHECKING:
    from pathlib import Path

    from muhafiz.feeds.sources import ParsedBatch

RECEIVED = datetime(2026, 11, 23, 9, tzinfo=UTC)
TELNET = "2026-11-22-scan_telnet-pakistan.csv"
HEADER = b"timestamp,ip,port,hostname,asn,geo,tag\n"
GOOD = b"2026-11-22 00:00:12,192.0.2.17,23,host.example.net,64496,PK,telnet\n"


def parse(raw: bytes, name: str = TELNET, rows: int = 1000, **options: Any) -> ParsedBatch:
    context = ParseContext(name, RECEIVED, rows, options)
    batches = list(source_named("shadowserver").parse(io.BytesIO(raw), context))
    assert len(batches) == 1
    return batches[0]


def reasons(batch: ParsedBatch) -> list[tuple[int, str, str | None]]:
    return [(r["row"], r["reason"], r["column"]) for r in batch.set_aside.to_pylist()]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("2026-11-22-scan_telnet-pakistan.csv", "scan_telnet"),
        ("2026-11-22-scan6_http-pakistan_national-asn.csv", "scan6_http"),
        ("2026-11-22-event4_sinkhole_http-pakistan-geo.csv", "event4_sinkhole_http"),
        ("scan_telnet.csv", "scan_telnet"),
        ("2026-11-22-blocklist", "blocklist"),
        ("REPORT (1).csv", "unknown"),
    ],
)
def test_the_report_type_is_in_the_name(name: str, expected: str) -> None:
    assert report_type(name) == expected


def test_at_least_sixty_report_types_are_mapped_to_rsit() -> None:
    known = mappings()
    assert len(known) >= 60
    assert all(m.type in TAXONOMY_OF for code, m in known.items() if code != "common")
    assert all(m.title and m.identifier for code, m in known.items() if code != "common")


def test_no_report_type_is_mapped_in_two_files() -> None:
    found = [code for path in MAPPINGS.glob("*.toml") for code in tomllib.loads(path.read_text())]
    assert len(found) == len(set(found))


def test_a_row_becomes_an_event() -> None:
    event = parse(HEADER + GOOD).events.to_pylist()[0]
    assert event["row"] == 1
    assert event["time_source"] == datetime(2026, 11, 22, 0, 0, 12, tzinfo=UTC)
    assert event["source_ip"] == "192.0.2.17"
    assert event["source_address"] == bytes(10) + b"\xff\xff" + bytes([192, 0, 2, 17])
    assert (event["source_port"], event["source_asn"]) == (23, 64496)
    assert event["source_fqdn"] == "host.example.net"
    assert event["feed_code"] == "scan_telnet"
    assert event["classification_taxonomy"] == "vulnerable"
    assert event["classification_type"] == "potentially-unwanted-accessible"
    assert event["classification_identifier"] == "open-telnet"
    assert json.loads(event["extra"]) == {"tag": "telnet"}


def test_columns_are_found_by_name_in_any_order_and_any_writing() -> None:
    raw = b'"Geo"," IP ","TimeStamp"\r\n"PK","192.0.2.17","2026-11-22 00:00:12"\r\n'
    event = parse(raw).events.to_pylist()[0]
    assert event["source_ip"] == "192.0.2.17"
    assert event["source_geolocation_cc"] == "PK"
    assert event["extra"] is None


def test_a_repeated_column_name_keeps_both_values() -> None:
    raw = b"timestamp,ip,tag,tag,ip\n2026-11-22 00:00:12,192.0.2.17,a,b,192.0.2.18\n"
    event = parse(raw).events.to_pylist()[0]
    assert event["source_ip"] == "192.0.2.17"
    assert json.loads(event["extra"]) == {"tag": "a", "tag_2": "b", "ip_2": "192.0.2.18"}


def test_an_unknown_report_type_loses_nothing() -> None:
    batch = parse(HEADER + GOOD, "2026-11-22-scan_brandnew-pakistan.csv")
    event = batch.events.to_pylist()[0]
    assert event["classification_type"] == "undetermined"
    assert event["classification_taxonomy"] == "other"
    assert event["classification_identifier"] == "scan-brandnew"
    assert event["feed_code"] == "scan_brandnew"
    assert event["source_ip"] == "192.0.2.17"


def test_an_ipv6_report_is_read_like_its_twin() -> None:
    code, mapping = mapping_for(ParseContext("2026-11-22-scan6_telnet-pk.csv", RECEIVED))
    assert (code, mapping.identifier) == ("scan6_telnet", "open-telnet")


def test_the_source_of_an_event_report_is_who_acted() -> None:
    raw = b"timestamp,src_ip,src_port,dst_ip,dst_port,infection\n"
    raw += b"2026-11-22 00:00:12,192.0.2.17,4000,198.51.100.1,80,examplebot\n"
    event = parse(raw, "2026-11-22-event4_sinkhole-pk.csv").events.to_pylist()[0]
    assert (event["source_ip"], event["destination_ip"]) == ("192.0.2.17", "198.51.100.1")
    assert (event["classification_type"], event["malware_name"]) == (
        "infected-system",
        "examplebot",
    )


def test_the_target_of_a_ddos_command_is_told_not_the_commander() -> None:
    raw = b"timestamp,src_ip,dst_ip,dst_port\n2026-11-22 00:00:12,192.0.2.17,198.51.100.1,80\n"
    event = parse(raw, "2026-11-22-event4_honeypot_ddos_target-pk.csv").events.to_pylist()[0]
    assert event["source_ip"] == "198.51.100.1"
    assert event["source_port"] == 80


def test_a_local_folder_adds_and_replaces_mappings_and_is_reread(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[scan_brandnew]\ntitle = "New"\ntype = "scanner"\nidentifier = "new"\n')
    name = "2026-11-22-scan_brandnew-pk.csv"
    first = parse(HEADER + GOOD, name, mappings=str(tmp_path)).events.to_pylist()[0]
    assert (first["classification_type"], first["feed_name"]) == ("scanner", "New")
    own.write_text('[scan_brandnew]\ntype = "brute-force"\n[scan_telnet]\ntype = "exploit"\n')
    again = parse(HEADER + GOOD, name, mappings=str(tmp_path)).events.to_pylist()[0]
    assert again["classification_type"] == "brute-force"
    telnet = parse(HEADER + GOOD, mappings=str(tmp_path)).events.to_pylist()[0]
    assert telnet["classification_type"] == "exploit"


@pytest.mark.parametrize(
    "text",
    [
        '[x]\ntype = "no-such-type"\n',
        "[x]\ntyp = 1\n",
        "x = 1\n",
        "[x]\nmap.nothing = ['a']\n",
        "[",
    ],
)
def test_a_wrong_mapping_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "wrong.toml").write_text(text)
    with pytest.raises(BadMapping):
        mappings(str(tmp_path))


def test_rows_of_one_report_may_be_of_several_types() -> None:
    raw = b"timestamp,ip,category\n2026-11-22 00:00:12,192.0.2.1,Phishing\n"
    raw += b"2026-11-22 00:00:12,192.0.2.2,webshell\n"
    events = parse(raw, "2026-11-22-compromised_website-pk.csv").events.to_pylist()
    assert [e["classification_type"] for e in events] == ["phishing", "system-compromise"]
    assert [e["classification_taxonomy"] for e in events] == ["fraud", "intrusions"]


BAD_ROWS = [
    (b"2026-11-22 00:00:12,192.0.2.17,23\n", "column-count", None),
    (GOOD[:-1] + b",more\n", "column-count", None),
    (GOOD.replace(b"telnet", b"tel\0net"), "nul", None),
    (GOOD.replace(b"telnet", b"tel\x81net"), "encoding", None),
    (GOOD.replace(b"telnet", b'"tel"net'), "quote", None),
    (GOOD.replace(b"telnet", b'"telnet'), "quote", None),
    (GOOD.replace(b"192.0.2.17", b"010.1.1.1"), "address", "ip"),
    (GOOD.replace(b"192.0.2.17", b"0.0.0.0"), "address", "ip"),
    (GOOD.replace(b"192.0.2.17", b"::"), "address", "ip"),
    (GOOD.replace(b"192.0.2.17", b"192.0.2.999"), "address", "ip"),
    (GOOD.replace(b"192.0.2.17", b"n/a"), "address", "ip"),
    (GOOD.replace(b"2026-11-22", b"2026-02-30"), "time", "timestamp"),
    (GOOD.replace(b"2026-11-22", b"1970-01-01"), "time", "timestamp"),
    (GOOD.replace(b"2026-11-22", b"2027-01-01"), "time", "timestamp"),
    (GOOD.replace(b",23,", b",65536,"), "number", "port"),
    (GOOD.replace(b",64496,", b",AS,"), "number", "asn"),
    (
        GOOD.replace(b"192.0.2.17", b"").replace(b"host.example", b"not a name"),
        "domain",
        "hostname",
    ),
]


@pytest.mark.parametrize(("bad", "reason", "column"), BAD_ROWS)
def test_a_bad_row_is_set_aside_and_the_rest_goes_on(
    bad: bytes, reason: str, column: str | None
) -> None:
    batch = parse(HEADER + GOOD + bad + GOOD)
    assert reasons(batch) == [(2, reason, column)]
    assert batch.events["row"].to_pylist() == [1, 3]
    assert batch.set_aside["raw"].to_pylist() == [bad[:-1]]
    assert batch.last_row == 3


def test_all_bad_rows_at_once_keep_their_places() -> None:
    raw = HEADER + b"".join(GOOD + bad for bad, _, _ in BAD_ROWS)
    batch = parse(raw)
    assert batch.events["row"].to_pylist() == list(range(1, 2 * len(BAD_ROWS), 2))
    assert reasons(batch) == [
        (2 * at + 2, reason, column) for at, (_, reason, column) in enumerate(BAD_ROWS)
    ]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (b"::ffff:192.0.2.5", "192.0.2.5"),
        (b" 192.0.2.5 ", "192.0.2.5"),
        (b"2001:DB8::0:5", "2001:db8::5"),
    ],
)
def test_addresses_are_written_one_way(text: bytes, address: str) -> None:
    events = parse(HEADER + GOOD.replace(b"192.0.2.17", text)).events.to_pylist()
    assert events[0]["source_ip"] == address


def test_empty_fields_are_nothing_and_the_row_stands() -> None:
    event = parse(HEADER + b",,,,,,\n").events.to_pylist()[0]
    filled = {name for name, value in event.items() if value is not None}
    assert filled == {
        "row", "feed_provider", "feed_name", "feed_code", "classification_taxonomy",
        "classification_type", "classification_identifier", "tlp", "protocol_application",
    }  # fmt: skip


def test_as_zero_is_nobodys() -> None:
    event = parse(HEADER + GOOD.replace(b"64496", b"0")).events.to_pylist()[0]
    assert event["source_asn"] is None


def test_a_hostname_that_is_none_is_kept_in_extra() -> None:
    event = parse(HEADER + GOOD.replace(b"host.example.net", b"not a name")).events.to_pylist()[0]
    assert event["source_fqdn"] is None
    assert json.loads(event["extra"]) == {"tag": "telnet", "source_fqdn_given": "not a name"}


def test_windows_1252_is_read_where_utf8_fails_row_by_row() -> None:
    raw = HEADER + GOOD.replace(b"telnet", "café".encode("cp1252"))
    raw += GOOD.replace(b"telnet", "café".encode())
    tags = [json.loads(text)["tag"] for text in parse(raw).events["extra"].to_pylist()]
    assert tags == ["café", "café"]


def test_without_a_header_every_row_is_set_aside_and_can_be_replayed() -> None:
    batch = parse(GOOD + GOOD)
    assert reasons(batch) == [(1, "header", None), (2, "header", None)]
    assert batch.set_aside["raw"].to_pylist() == [GOOD[:-1], GOOD[:-1]]


@pytest.mark.parametrize("raw", [b"", HEADER, HEADER[:-1], b"\n\n"])
def test_reports_without_rows(raw: bytes) -> None:
    batch = parse(raw)
    assert (batch.events.num_rows, batch.set_aside.num_rows, batch.last_row) == (0, 0, 0)


def test_the_feeds_own_words_win() -> None:
    event = parse(HEADER + GOOD, tlp="amber+strict", provider="Partner", feed="Daily", code="d")
    found = event.events.to_pylist()[0]
    assert (found["tlp"], found["feed_provider"]) == ("AMBER+STRICT", "Partner")
    assert (found["feed_name"], found["feed_code"]) == ("Daily", "d")


def test_blocks_parsed_side_by_side_give_what_one_after_the_other_gives() -> None:
    rows = [GOOD.replace(b"192.0.2.17", f"192.0.2.{n % 250 + 1}".encode()) for n in range(5000)]
    raw = HEADER + b"".join(rows)
    source = source_named("shadowserver")
    context = ParseContext(TELNET, RECEIVED, 400)
    one = list(source.parse(io.BytesIO(raw), context))
    cut = list(source.blocks(io.BytesIO(raw), context))
    with ThreadPoolExecutor(4) as pool:
        two = list(pool.map(lambda block: source.parse_block(block, context), cut))
    assert len(one) == 13
    assert all(
        a.events.equals(b.events) and a.last_row == b.last_row
        for a, b in zip(one, two, strict=True)
    )
