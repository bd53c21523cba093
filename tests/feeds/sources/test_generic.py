"""Any delimited text: by a mapping, by a guess, or set aside until there is one."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from muhafiz.feeds.columns.mapping import BadMapping
from muhafiz.feeds.sources import ParseContext, source_named
from muhafiz.feeds.sources.generic import guess_mapping

if TYPE_CHECKING:
    from muhafiz.feeds.sources import ParsedBatch

RECEIVED = datetime(2026, 11, 23, 9, tzinfo=UTC)


def parse(raw: bytes, **options: Any) -> ParsedBatch:
    context = ParseContext("x.csv", RECEIVED, 1000, options)
    batches = list(source_named("generic").parse(io.BytesIO(raw), context))
    assert len(batches) == 1
    return batches[0]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_delimiter_header_and_columns_are_guessed(mark: str) -> None:
    lines = ["When Seen,IP-Address,Port,Host,Note", "2026-11-22T08:00:00Z,192.0.2.1,22,a.example.org,x",
             "2026-11-22T08:00:01Z,2001:db8::1,23,,y"]  # fmt: skip
    raw = "\n".join(line.replace(",", mark) for line in lines).encode()
    found = guess_mapping(raw)
    assert found.mapping["delimiter"] == mark
    assert found.mapping["map"] == {
        "source_ip": ["ip_address"], "source_port": ["port"], "source_fqdn": ["host"],
        "time_source": ["when_seen"],
    }  # fmt: skip
    assert found.why["time_source"] == "the values of when_seen look like it"
    batch = parse(raw)
    assert batch.events["source_ip"].to_pylist() == ["192.0.2.1", "2001:db8::1"]


def test_a_name_is_not_believed_against_its_values() -> None:
    raw = b"ip,source\nnone of your business,192.0.2.1\nnope,192.0.2.2\n"
    assert guess_mapping(raw).mapping["map"]["source_ip"] == ["source"]


def test_text_without_a_header_is_guessed_by_its_values() -> None:
    raw = b"2026-11-22 08:00:00,192.0.2.1,x\n2026-11-22 08:00:01,192.0.2.2,y\n"
    found = guess_mapping(raw).mapping
    assert found["header"] == ["column_1", "column_2", "column_3"]
    batch = parse(raw)
    assert batch.events["row"].to_pylist() == [1, 2]
    assert batch.events["source_ip"].to_pylist() == ["192.0.2.1", "192.0.2.2"]


def test_where_nothing_can_be_guessed_all_is_set_aside_until_a_mapping_comes() -> None:
    raw = b"colour,shape\nred,round\nblue,square\n"
    batch = parse(raw)
    assert batch.set_aside["reason"].to_pylist() == ["header"] * 3
    mapped = parse(raw, mapping={"type": "other", "map": {"malware_name": "colour"}})
    assert mapped.events["malware_name"].to_pylist() == ["red", "blue"]


def test_a_mapping_says_everything() -> None:
    mapping = {
        "type": "phishing", "identifier": "kit", "delimiter": "|", "header": ["t", "u", "skip", "n"],
        "map": {"time_source": "t", "source_url": "u"}, "drop": ["skip"], "tlp": "green",
        "constants": {"protocol_application": "https", "destination_port": 443},
    }  # fmt: skip
    batch = parse(b"2026-11-22 08:00:00|https://a.example.org/|1|2\n", mapping=mapping)
    event = batch.events.to_pylist()[0]
    assert event["classification_type"] == "phishing"
    assert event["classification_identifier"] == "kit"
    assert (event["tlp"], event["protocol_application"]) == ("GREEN", "https")
    assert event["destination_port"] == 443
    assert json.loads(event["extra"]) == {"n": "2"}


@pytest.mark.parametrize(
    "mapping",
    [
        {"delimiter": ";;"},
        {"delimiter": '"'},
        {"map": {"row": "a"}},
        {"type": "bad"},
        {"severity": "loud"},
        {"map": [1]},
        {"map": "x"},
        {"when": {"a": 1}},
        {"when": [1]},
        {"header": "a"},
        {"type": []},
        {"constants": {"source_port": "70000"}},
        {"constants": {"source_ip": "x"}},
    ],
)
def test_a_wrong_mapping_is_refused(mapping: dict[str, Any]) -> None:
    with pytest.raises(BadMapping):
        parse(b"a,b\n", mapping=mapping)
