"""X-ARF: every object has what its category asks for, and the house can read its own."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import orjson
import pytest

from muhafiz.formats import rsit
from muhafiz.formats.xarf_report import Reporter, xarf_objects, xarf_report

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
REPORTER = Reporter("National CERT", "cert@cert.example")
CATEGORIES = {
    "messaging", "connection", "content", "infrastructure", "copyright", "vulnerability",
    "reputation",
}  # fmt: skip
EVENT = {
    "time": NOW,
    "key": 1,
    "report_id": 7,
    "row": 3,
    "tlp": "AMBER",
    "source_ip": "198.51.100.7",
    "source_port": 23,
    "classification_identifier": "open-telnet",
}


def of_type(name: str, **changes) -> dict:
    return {
        **EVENT,
        "classification_type": name,
        "classification_taxonomy": rsit.TAXONOMY_OF[name],
        **changes,
    }


def report(event: dict) -> dict:
    return xarf_report(event, number="N-1", reporter=REPORTER, now=NOW)


@pytest.mark.parametrize("name", sorted(rsit.TAXONOMY_OF))
def test_every_type_becomes_a_whole_object(name):
    found = report(of_type(name))
    assert found["category"] in CATEGORIES
    assert found["xarf_version"].startswith("4.")
    assert found["timestamp"] == "2026-11-23T09:00:00Z"
    assert found["source_identifier"] == "198.51.100.7"
    assert found["reporter"]["contact"] == "cert@cert.example"
    assert f"rsit:{rsit.TAXONOMY_OF[name]}:{name}" in found["tags"]
    assert None not in found.values()


def test_a_category_whose_needs_are_not_met_is_not_claimed():
    assert report(of_type("phishing"))["category"] == "reputation"
    found = report(of_type("phishing", source_url="https://x.example/"))
    assert (found["category"], found["url"]) == ("content", "https://x.example/")
    assert report(of_type("vulnerable-system"))["type"] == "misconfiguration"
    found = report(of_type("vulnerable-system", classification_identifier="cve-2026-1"))
    assert (found["type"], found["cve_id"]) == ("cve", "CVE-2026-1")


def test_the_same_event_of_the_same_notice_keeps_its_name():
    event = of_type("scanner")
    assert report(event)["report_id"] == report(dict(event))["report_id"]
    assert report(event)["report_id"] != report({**event, "row": 4})["report_id"]
    other = xarf_report(event, number="N-2", reporter=REPORTER, now=NOW)
    assert other["report_id"] != report(event)["report_id"]


def document(events) -> bytes:
    return b"[" + xarf_objects(events, number="N-1", reporter=REPORTER, now=NOW) + b"]"


def test_objects_within_brackets_are_one_array():
    content = document([of_type("scanner"), of_type("spam")])
    assert [each["type"] for each in orjson.loads(content)] == ["port_scan", "spam"]


def test_the_house_reads_what_it_writes():
    from muhafiz.feeds.sources import ParseContext
    from muhafiz.feeds.sources.xarf import SOURCE

    events = [of_type("infected-system"), of_type("brute-force"), of_type("ddos-amplifier")]
    content = document(events)
    context = ParseContext(file_name="n.xarf.json", received_at=NOW, batch_rows=100, options={})
    batches = list(SOURCE.parse(io.BytesIO(content), context))
    rows = [row for batch in batches for row in batch.events.to_pylist()]
    assert [row["source_ip"] for row in rows] == ["198.51.100.7"] * 3
    assert sum(batch.set_aside.num_rows for batch in batches) == 0
