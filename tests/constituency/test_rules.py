"""On-call hours, periods and spellings."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muhafiz.constituency import rules

MONDAY = datetime(2026, 11, 23)  # noqa: DTZ001 - wall-clock time


@pytest.mark.parametrize(
    ("hours", "hour_of_week", "expected"),
    [
        ("", 0, True),
        ("Mon-Fri 09:00-17:00", 9, True),
        ("Mon-Fri 09:00-17:00", 17, False),
        ("Mon-Fri 09:00-17:00", 5 * 24 + 10, False),
        ("mon 09:00-17:00; Sat 10:00-14:00", 5 * 24 + 10, True),
        ("Sat-Mon 00:00-12:00", 6 * 24 + 3, True),
        ("Sat-Mon 00:00-12:00", 24 + 3, False),
        ("Sun 22:00-06:00", 5, True),  # Monday 05:00 belongs to Sunday's night
        ("Sun 22:00-06:00", 6 * 24 + 5, False),
        ("22:00-06:00", 3, True),
        ("00:00-00:00", 13, True),  # round the clock
        ("00:00-24:00", 13, True),
        ("Mon 17:00-24:00", 23, True),
        ("Mon 17:00-24:00", 24, False),
    ],
)
def test_hours(hours: str, hour_of_week: int, expected: bool) -> None:
    assert rules.on_call(hours, MONDAY + timedelta(hours=hour_of_week)) is expected


days = st.none() | st.integers(0, 8).map(lambda n: date(2026, 1, 1) + timedelta(days=n))


@given(days, days, days, days)
def test_periods_overlap_when_a_day_is_in_both(a, b, c, d) -> None:
    around = [date(2025, 12, 1) + timedelta(days=n) for n in range(60)]
    shared = any(rules.holds(a, b, day) and rules.holds(c, d, day) for day in around)
    assert rules.overlap((a, b), (c, d)) is shared


def test_sectors_follow_each_other() -> None:
    past = [(date(2026, 6, 1), "b"), (date(2026, 1, 1), "a")]
    assert rules.sector_periods("c", past) == [
        ("a", None, date(2026, 1, 1)),
        ("b", date(2026, 1, 1), date(2026, 6, 1)),
        ("c", date(2026, 6, 1), None),
    ]


@pytest.mark.parametrize(
    "address",
    ["abuse@example.org", "a.b+c@sub.example.org", "o'neil@example.org", "x@xn--bcher-kva.example"],
)
def test_addresses_that_can_be_written_to(address: str) -> None:
    assert rules.check_address(f" {address} ") == address


@pytest.mark.parametrize(
    "address",
    ["a@b", "a..b@example.org", ".a@example.org", "a@example..org", "a@-x.example", "a b@x.example",
     "<a@example.org>", "A <a@example.org>", "a@example.org\r\n", "a@example.org\nX: y", "a@[::1]",
     "ä@example.org", "x" * 65 + "@example.org", "a@" + "x." * 130 + "example"],
)  # fmt: skip
def test_addresses_that_cannot(address: str) -> None:
    if address == "a@example.org\r\n":  # white space around is trimmed
        assert rules.check_address(address) == "a@example.org"
        return
    with pytest.raises(rules.BadContact):
        rules.check_address(address)


@pytest.mark.parametrize(
    "name", ["Power Works", "دریائے سندھ", "کے\u200cپی", "3M", "Å & Sons (Pvt.) Ltd.", "O'Neil"]
)
def test_names_as_they_are(name: str) -> None:
    assert rules.check_name(f"  {name} ") == name


@pytest.mark.parametrize(
    "name",
    ["", " \t", "\u200c", "\u200f\u200e", "---", "a\x00b", "a\nBcc: x@y.example", "a\u2028b", "a\u2029b",
     "a\x85b", "a\x7f", "fdp\u202egnp.exe", "\u2067x", "\ufeffx", "\u200bx", "x\u00ad", "\ud800x", "\ue000",
     "=cmd()", "\u200c=cmd()", "\uff1dcmd()", "+1", "@x", "|calc", "x" * 201],
)  # fmt: skip
def test_names_that_deceive_or_run(name: str) -> None:
    """The refusal itself can be shown and stored."""
    with pytest.raises(rules.BadName) as refusal:
        rules.check_name(name)
    assert len(str(refusal.value).encode().decode().splitlines()) == 1


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("203.0.113.9/24", "it is an address within 203.0.113.0/24"),
        ("203.0.113.0/33", "it is not of the form 203.0.113.0/24 or 2001:db8::/32"),
        ("everything", "it is not of the form 203.0.113.0/24 or 2001:db8::/32"),
    ],
)
def test_a_network_is_refused_in_words_of_the_house(value: str, reason: str) -> None:
    with pytest.raises(rules.BadClaim) as refused:
        rules.canonical_claim("address", value)
    assert refused.value.params["reason"] == reason
