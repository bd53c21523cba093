"""Delegated files as RIRs publish them."""

from __future__ import annotations

from datetime import date

import pytest

from muhafiz.formats.delegated import BadDelegated, asns, networks, read_delegated

FILE = """\
# a remark
2.3|apnic|20261122|4|19830613|20261121|+1000
apnic|*|asn|*|1|summary
apnic|*|ipv4|*|2|summary
apnic|*|ipv6|*|1|summary
apnic|PK|asn|64496|3|20100101|allocated|A91AAAAA
apnic|PK|ipv4|192.0.2.0|256|20110131|allocated|A91AAAAA
apnic|pk|ipv4|198.51.100.64|192|00000000|assigned|A91BBBBB
apnic|PK|ipv6|2001:db8::|32|20120229|allocated|A91AAAAA
"""


def test_a_file_is_read_whole() -> None:
    file = read_delegated(FILE.splitlines())
    assert (file.registry, file.day, file.problems) == ("apnic", date(2026, 11, 21), ())
    asn, v4, odd, v6 = file.records
    assert list(asns(asn)) == [64496, 64497, 64498]
    assert (v4.day, v4.country, v4.handle, v4.line) == (date(2011, 1, 31), "PK", "A91AAAAA", 7)
    assert networks(v4) == ["192.0.2.0/24"]
    assert (odd.day, odd.country, odd.status) == (None, "PK", "assigned")
    assert networks(odd) == ["198.51.100.64/26", "198.51.100.128/25"]
    assert networks(v6) == ["2001:db8::/32"]


def test_a_file_cut_short_is_refused() -> None:
    for keep in range(1, 9):
        with pytest.raises(BadDelegated):
            read_delegated(FILE.splitlines()[:keep])
    plain = [line for line in FILE.splitlines() if "summary" not in line]
    assert len(read_delegated(plain).records) == 4
    with pytest.raises(BadDelegated):
        read_delegated(plain[:-1])


@pytest.mark.parametrize("first", ["", "<html>", "apnic|PK|ipv4|192.0.2.0|256|20110131|allocated"])
def test_what_is_no_such_file_is_refused(first: str) -> None:
    with pytest.raises(BadDelegated):
        read_delegated([first])


@pytest.mark.parametrize(
    "record",
    [
        "apnic|PK|ipv4|192.0.2.0|0|20110131|allocated|A",
        "apnic|PK|ipv4|255.255.255.0|512|20110131|allocated|A",
        "apnic|PK|ipv4|192.0.02.0|256|20110131|allocated|A",
        "apnic|PK|ipv6|2001:db8::1|32|20110131|allocated|A",
        "apnic|PK|ipv6|2001:db8::|129|20110131|allocated|A",
        "apnic|PK|asn|0|1|20110131|allocated|A",
        "apnic|PK|asn|4294967295|2|20110131|allocated|A",
        "apnic|PK|asn|x|1|20110131|allocated|A",
        "apnic|PK|dns|x|1|20110131|allocated|A",
        "apnic|PK|ipv4|192.0.2.0|many|20110131|allocated|A",
        "apnic|PK|ipv4",
    ],
)
def test_a_bad_record_is_listed_and_the_rest_read(record: str) -> None:
    lines = FILE.replace("apnic|*|ipv4|*|2", "apnic|*|ipv4|*|3").splitlines()
    file = read_delegated([*lines, record])
    assert [line for line, _ in file.problems] == [10]
    assert len(file.records) == 4
