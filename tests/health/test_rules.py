"""What an ailment says, and in which order."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from muhafiz.health.rules import Ailment, Checkup, Size, fact, worst_first

FAULT = Ailment("gone", "fault", "{what} is gone.", "Run: `fetch {what}`")
WARNING = Ailment("old", "warning", "{what} is old.", "Replace it.")


def test_a_finding_says_what_is_wrong_and_what_to_type():
    found = FAULT.found(what="x")
    assert (found.what, found.mend) == ("x is gone.", "Run: fetch x")


def test_values_are_written_as_a_terminal_shows_them():
    moment = datetime(2026, 11, 23, 9, 5, tzinfo=UTC)
    told = fact(
        "{n} at {at}, {size}, {share} %", n=12_345, at=moment, size=Size(3 << 20), share=4.5
    )
    assert str(told) == "12,345 at 2026-11-23 09:05 UTC, 3.0 MiB, 4.5 %"


@pytest.mark.parametrize(
    ("octets", "shown"), [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (5 << 40, "5.0 TiB")]
)
def test_sizes_are_in_binary_units(octets, shown):
    assert str(Size(octets)) == shown


def test_faults_come_before_warnings_and_else_nothing_moves():
    checkups = [
        Checkup("a", "A", (WARNING.found(what="1"), FAULT.found(what="2")), ()),
        Checkup("b", "B", (FAULT.found(what="3"),), ()),
        Checkup("c", "C", (), ()),
    ]
    assert [each.params["what"] for each in worst_first(checkups)] == ["2", "3", "1"]
    assert [each.state for each in checkups] == ["fault", "fault", "well"]
