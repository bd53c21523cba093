"""Every source: its samples are recognized, and become what they say."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from muhafiz.feeds.sources import BUILT_IN, ParseContext, all_sources, recognize, source_named

if TYPE_CHECKING:
    from muhafiz.feeds.sources import ParsedBatch

RECEIVED = datetime(2026, 11, 23, 9, tzinfo=UTC)
SAMPLES = sorted(BUILT_IN.glob("*/samples/*"))
SHOWN = (
    "source_ip", "source_fqdn", "source_url", "classification_type", "classification_identifier",
    "tlp",
)  # fmt: skip


def parse(name: str, raw: bytes, file_name: str = "x", **options: Any) -> ParsedBatch:
    context = ParseContext(file_name, RECEIVED, 1000, options)
    batches = list(source_named(name).parse(io.BytesIO(raw), context))
    assert len(batches) == 1
    return batches[0]


def sample(source: str, file_name: str, **options: Any) -> ParsedBatch:
    return parse(
        source, (BUILT_IN / source / "samples" / file_name).read_bytes(), file_name, **options
    )


def shown(batch: ParsedBatch) -> list[list[str | None]]:
    return [[event[name] for name in SHOWN] for event in batch.events.to_pylist()]


def test_every_source_has_a_sample_and_a_docstring() -> None:
    assert {path.parent.parent.name for path in SAMPLES} == set(all_sources())
    assert len(all_sources()) >= 8


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_a_sample_is_recognized_as_its_own(path: Path) -> None:
    found = recognize(path.name, path.read_bytes())
    assert found is not None
    assert found.name == path.parent.parent.name


@pytest.mark.parametrize("raw", [b"", b"\0\0\0", b"%PDF-1.7", b"hello world\n", b"{}", b"[]"])
def test_what_is_no_report_is_recognized_by_none(raw: bytes) -> None:
    assert recognize("x.bin", raw) is None


def test_intelmq() -> None:
    assert shown(sample("intelmq", "events.json")) == [
        ["192.0.2.80", None, None, "other", "openproxy", None],
        [None, "c2.example.com", None, "c2-server", None, None],
    ]
    assert shown(sample("intelmq", "events.jsonl")) == [
        ["198.51.100.80", None, None, "infected-system", "malware", None],
        [None, "a1b2c3.example.net", None, "other", "dga-domain", None],
    ]


def test_a_word_of_intelmq_beside_an_identifier_is_kept() -> None:
    first = sample("intelmq", "events.json").events.to_pylist()[0]
    assert json.loads(first["extra"])["classification_type_given"] == "proxy"
    assert json.loads(first["extra"])["tag"] == "squid"
    assert "raw" not in json.loads(first["extra"])


def test_n6() -> None:
    batch = sample("n6", "events.json")
    assert shown(batch) == [
        ["203.0.113.9", None, None, "infected-system", "bots", "AMBER"],
        ["203.0.113.10", None, None, "infected-system", "bots", "AMBER"],
        [None, "login.example.com", "http://login.example.com/bank", "phishing", "phish", "CLEAR"],
    ]
    first, second, _third = batch.events.to_pylist()
    assert "address" not in json.loads(first["extra"])
    assert (first["source_asn"], first["destination_port"]) == (64500, 443)
    assert (second["source_asn"], second["destination_port"]) == (None, 443), "each its own"


def test_misp_takes_network_indicators_of_events_and_objects() -> None:
    batch = sample("misp", "event.json")
    assert shown(batch) == [
        ["192.0.2.200", None, None, "phishing", "ip-dst|port", "GREEN"],
        ["198.51.100.77", "kit.example.org", None, "phishing", "domain|ip", "AMBER"],
        [None, "kit.example.org", "https://kit.example.org/login", "phishing", "url", "GREEN"],
    ]
    extras = [json.loads(text) for text in batch.events["extra"].to_pylist()]
    assert [extra["to_ids"] for extra in extras] == [True, False, True]
    assert extras[2]["object"] == "url"


@pytest.mark.parametrize("wrapped", ["[%s]", '{"response": [%s]}'])
def test_misp_documents_may_be_wrapped(wrapped: str) -> None:
    event = (BUILT_IN / "misp" / "samples" / "event.json").read_text()
    assert parse("misp", (wrapped % event).encode()).events.num_rows == 3


@pytest.mark.parametrize("raw", [b"{", b"[1,2]", b'{"a":1}', b"null", b'{"Event":[]}'])
def test_a_document_that_is_no_misp_event_is_set_aside(raw: bytes) -> None:
    batch = parse("misp", raw)
    assert batch.events.num_rows == 0
    assert batch.set_aside["reason"].to_pylist() == ["json"]


def test_xarf() -> None:
    batch = sample("xarf", "login-attack.json")
    assert shown(batch) == [
        ["203.0.113.99", None, None, "brute-force", "connection-login_attack", "AMBER"]
    ]
    event = batch.events.to_pylist()[0]
    assert event["feed_provider"] == "Example Hosting"
    assert event["time_source"] == datetime(2026, 11, 22, 9, tzinfo=UTC)
    assert json.loads(event["extra"])["evidence"][0]["payload"] == "RmFpbGVkIHBhc3N3b3Jk"


@pytest.mark.parametrize(
    ("category", "kind", "rsit"),
    [
        ("messaging", "spam", "spam"), ("connection", "port_scan", "scanner"),
        ("content", "phishing", "phishing"), ("infrastructure", "botnet", "infected-system"),
        ("copyright", "p2p", "copyright"), ("vulnerability", "cve", "vulnerable-system"),
        ("reputation", "blocklist", "other"), ("connection", "novel", "undetermined"),
    ],
)  # fmt: skip
def test_all_seven_categories_of_xarf(category: str, kind: str, rsit: str) -> None:
    report = {
        "xarf_version": "4.0.0",
        "source_identifier": "192.0.2.1",
        "category": category,
        "type": kind,
    }
    event = parse("xarf", json.dumps(report).encode()).events.to_pylist()[0]
    assert (event["classification_type"], event["source_ip"]) == (rsit, "192.0.2.1")


@pytest.mark.parametrize(
    ("text", "column", "value"),
    [
        ("2001:db8::1", "source_ip", "2001:db8::1"),
        ("www.example.org", "source_fqdn", "www.example.org"),
        ("https://example.org/a", "source_url", "https://example.org/a"),
        ("AS64500", "source_asn", 64500),
    ],
)
def test_what_an_xarf_source_may_be(text: str, column: str, value: object) -> None:
    raw = json.dumps({"xarf_version": "4", "source_identifier": text}).encode()
    assert parse("xarf", raw).events.to_pylist()[0][column] == value


def test_large_evidence_is_read_and_its_payload_left_to_the_report() -> None:
    item = {"content_type": "image/png", "payload": "A" * 2_000_000}
    raw = json.dumps({"xarf_version": "4", "source_identifier": "192.0.2.1", "evidence": [item]})
    kept = json.loads(parse("xarf", raw.encode()).events["extra"][0].as_py())["evidence"][0]
    assert kept["payload_characters"] == 2_000_000
    assert "payload" not in kept


def test_suricata_takes_alerts_only_unless_told_otherwise() -> None:
    batch = sample("suricata", "eve.json")
    assert shown(batch) == [
        ["198.51.100.66", None, None, "exploit", "EXAMPLE Web attack", None],
        ["2001:db8::66", None, None, "scanner", "EXAMPLE Scan", None],
    ]
    assert batch.events["severity"].to_pylist() == ["high", "low"]
    assert sample("suricata", "eve.json", event_types=["flow", "alert"]).events.num_rows == 3


def test_zeek() -> None:
    batch = sample("zeek", "notice.log")
    assert shown(batch) == [
        ["198.51.100.5", None, None, "scanner", "Scan::Port_Scan", None],
        ["203.0.113.6", None, None, "brute-force", "SSH::Password_Guessing", None],
    ]
    assert batch.events["source_port"].to_pylist() == [None, 50123]
    assert shown(sample("zeek", "intel.json"))[0][3:5] == ["undetermined", "Intel::DOMAIN"]
    own = sample("zeek", "notice.log", types={"Scan::Port_Scan": "sniffing"})
    assert shown(own)[0][3] == "sniffing"


def test_zeek_notices_as_json() -> None:
    raw = b'{"ts":1795300000.5,"note":"SSH::Password_Guessing","src":"192.0.2.9","msg":"x"}\n'
    batch = parse("zeek", raw)
    assert shown(batch) == [
        ["192.0.2.9", None, None, "brute-force", "SSH::Password_Guessing", None]
    ]


BAD_LINES = [
    (b'{"source.ip":"192.0.2.1","source.ip":"192.0.2.2"}', "duplicate-key"),
    (b'{"source.ip" : "192.0.2.1", "source.ip":"192.0.2.2"}', "duplicate-key"),
    (b'{"a":{"b":1,"b":2}}', "duplicate-key"),
    (b'{"a":NaN}', "json"),
    (b'{"a":Infinity}', "json"),
    (b'{"a":1e999}', "json"),
    (b'{"a":"\\ud800"}', "json"),
    (b'{"a":' * 100 + b"1" + b"}" * 100, "json"),
    (b'{"a":' * 5000 + b"1" + b"}" * 5000, "json"),
    (b"[1]", "json"),
    (b"null", "json"),
    (b'{"a":1', "json"),
    (b'{"a":1} {"b":2}', "json"),
    (b'{"a":"\0"}', "nul"),
    (b'{"a":"\x81"}', "encoding"),
    (b'{"source.ip":["192.0.2.1"]}', "shape"),
    (b'{"source.ip":"0.0.0.0"}', "address"),
    (b'{"source.ip":12}', "address"),
    (b'{"time.source":123456789012345678901234567890}', "time"),
    (b'{"source.port":123456789012345678901234567890}', "number"),
    (b'{"source.fqdn":"not a name"}', "domain"),
]


@pytest.mark.parametrize(("bad", "reason"), BAD_LINES)
def test_a_bad_object_is_set_aside_and_the_rest_goes_on(bad: bytes, reason: str) -> None:
    good = b'{"source.ip":"192.0.2.1","note":"say \\"a\\":1 and b : c"}'
    batch = parse("intelmq", b"\n".join([good, bad, good]))
    assert [(r["row"], r["reason"], r["raw"]) for r in batch.set_aside.to_pylist()] == [
        (2, reason, bad)
    ]
    assert batch.events["row"].to_pylist() == [1, 3]


def test_windows_1252_in_json_is_read() -> None:
    raw = b'{"source.ip":"192.0.2.1","note":"caf\xe9"}'
    event = parse("intelmq", raw).events.to_pylist()[0]
    assert json.loads(event["extra"])["note"] == "café"


def test_huge_numbers_stay_numbers_in_extra() -> None:
    raw = b'{"source.ip":"192.0.2.1","n":18446744073709551615,"f":1.5,"t":true}'
    event = parse("intelmq", raw).events.to_pylist()[0]
    assert json.loads(event["extra"]) == {"n": 18446744073709551615, "f": 1.5, "t": True}
