"""Texts become times, numbers and words, or nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from muhafiz.feeds.columns import readings

RECEIVED = datetime(2026, 11, 23, 9, tzinfo=UTC)
SEEN = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def texts(*values: str | None) -> pa.Array:
    return pa.array(values, pa.string())


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22 08:00:00", "2026-11-22T08:00:00", "2026-11-22T08:00:00Z",
        "2026-11-22T08:00:00+00:00", "2026-11-22T13:00:00+05:00", "2026-11-22T08:00:00.000000+0000",
        "2026-11-22 08:00:00 UTC", "1795334400", "1795334400.000", "20261122T080000Z",
    ],
)  # fmt: skip
def test_times_are_read_alone_and_in_mixed_company(text: str) -> None:
    alone = readings.parse_times(texts(text), RECEIVED)
    mixed = readings.parse_times(texts("junk", text, None, "2026-11-22 08:00:00"), RECEIVED)
    assert alone.to_pylist() == [SEEN]
    assert mixed.to_pylist() == [None, SEEN, None, SEEN]


@pytest.mark.parametrize(
    "text",
    ["1989-12-31 23:59:59", "2026-11-24 09:00:01", "2026-13-01 00:00:00", "0", "yesterday",
     "9999999999999999999", "2026-11-22T08:00:00+99:00", "0001-01-01T00:00:00+14:00"],
)  # fmt: skip
def test_times_out_of_reason_are_none(text: str) -> None:
    assert readings.parse_times(texts(text), RECEIVED).to_pylist() == [None]
    assert readings.parse_times(texts(text, "x"), RECEIVED).to_pylist() == [None, None]


def test_a_day_ahead_is_still_believed() -> None:
    assert readings.parse_times(texts("2026-11-24 09:00:00"), RECEIVED).null_count == 0


def test_ports() -> None:
    read = readings.parse_ports(texts("0", "65535", "65536", "-1", "23.0", "٢٣", "1e3", None))
    assert read.to_pylist() == [0, 65535, None, None, 23, None, None, None]


def test_asns() -> None:
    read = readings.parse_asns(texts("64496", "AS64496", "as4294967295", "4294967296", "9" * 400))
    assert read.to_pylist() == [64496, 64496, 4294967295, None, None]


def test_severities() -> None:
    read = readings.parse_severities(
        texts("HIGH", "moderate", "9.8", "0", "7", "11", "nan", "loud", None)
    )
    assert read.to_pylist() == [
        "high",
        "medium",
        "critical",
        "info",
        "high",
        None,
        None,
        None,
        None,
    ]


def test_tlp_labels_only_tighten() -> None:
    read = readings.parse_tlps(texts("white", "TLP:AMBER", "amber_strict", "puce", None))
    assert read.to_pylist() == ["CLEAR", "AMBER", "AMBER+STRICT", "RED", None]


def test_white_space_alone_is_nothing() -> None:
    assert readings.empty_to_null(texts(" ", "", "\t a ")).to_pylist() == [None, None, "a"]
