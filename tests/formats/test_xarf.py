"""X-ARF's vocabulary meets RSIT both ways, and an event becomes a report."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from muhafiz.formats.rsit import TAXONOMY_OF
from muhafiz.formats.xarf import TYPES, from_rsit, to_report, to_rsit

REPORTER = {"org": "Example CERT", "contact": "cert@example.org", "domain": "example.org"}
AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def test_seven_categories_whose_types_are_all_rsit() -> None:
    assert sorted(TYPES) == [
        "connection", "content", "copyright", "infrastructure", "messaging", "reputation",
        "vulnerability",
    ]  # fmt: skip
    assert {rsit for types in TYPES.values() for rsit in types.values()} <= TAXONOMY_OF.keys()


@pytest.mark.parametrize("rsit", sorted(TAXONOMY_OF))
def test_what_xarf_can_say_it_says_in_its_own_words(rsit: str) -> None:
    said = from_rsit(rsit)
    assert said is None or said[1] in TYPES[said[0]]


def test_spelling_does_not_matter() -> None:
    assert to_rsit("Connection", "login-attack") == "brute-force"
    assert to_rsit("connection", "unheard") is None
    assert to_rsit(None, None) is None


def test_an_event_becomes_a_report_with_a_lasting_id() -> None:
    event = {
        "classification_type": "infected-system",
        "source_ip": "192.0.2.1",
        "source_port": 4000,
        "time_source": AT,
        "malware_name": "examplebot",
    }
    report = to_report(event, reporter=REPORTER, created_at=AT, identifier="42")
    again = to_report(event, reporter=REPORTER, created_at=AT, identifier="42")
    other = to_report(event, reporter=REPORTER, created_at=AT, identifier="43")
    assert report == again
    assert report is not None
    assert other is not None
    assert report["report_id"] != other["report_id"]
    assert report["category"] == "infrastructure"
    assert report["type"] == "botnet"
    assert report["timestamp"] == "2026-11-22T10:00:00Z"
    assert report["source_identifier"] == "192.0.2.1"
    assert "destination_ip" not in report
    assert report["tags"] == ["rsit:malicious-code:infected-system", "malware:examplebot"]


def test_what_xarf_has_no_word_for_makes_no_report() -> None:
    event = {"classification_type": "outage", "source_ip": "192.0.2.1"}
    assert to_report(event, reporter=REPORTER, created_at=AT, identifier="1") is None


def test_an_event_about_nobody_makes_no_report() -> None:
    event = {"classification_type": "spam"}
    assert to_report(event, reporter=REPORTER, created_at=AT, identifier="1") is None
