"""The strict reading of addresses and names, against `ipaddress` and by example."""

from __future__ import annotations

import ipaddress

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from muhafiz.formats.addresses import (
    pack_addresses,
    parse_addresses,
    parse_domains,
    reverse_labels,
)


def oracle(text: str | None) -> tuple[str | None, bytes | None]:
    if text is None:
        return None, None
    try:
        address = ipaddress.ip_address(text.strip(" \t\n\r\x0b\x0c"))
    except ValueError:
        return None, None
    address = getattr(address, "ipv4_mapped", None) or address
    if getattr(address, "scope_id", None) or address.is_unspecified:
        return None, None
    prefix = bytes(10) + b"\xff\xff" if address.version == 4 else b""
    return str(address), prefix + address.packed


v4 = st.integers(0, 2**32 - 1).map(lambda value: str(ipaddress.IPv4Address(value)))
v6 = st.integers(0, 2**128 - 1).map(ipaddress.IPv6Address)
# Few bits set, so that runs of zeros, mapped and compatible addresses come up.
sparse = st.builds(
    lambda a, b: ipaddress.IPv6Address((1 << a) | (b << 24)),
    st.integers(0, 127),
    st.integers(0, 2**20),
)
mapped = st.integers(0, 2**32 - 1).map(lambda value: ipaddress.IPv6Address((0xFFFF << 32) | value))
spelt = st.one_of(v6, sparse, mapped).flatmap(
    lambda address: st.sampled_from([str(address), address.exploded, address.exploded.upper()])
)
almost = st.text(alphabet="0123456789abf.:x% /", max_size=20)
quads = st.lists(
    st.sampled_from(
        ["0", "00", "01", "1", "10", "255", "256", "1000", "", "a", "-1", "+1", "\u0661"]
    ),
    min_size=3,
    max_size=5,
).map(".".join)
texts = st.one_of(
    v4,
    spelt,
    almost,
    quads,
    st.text(max_size=8),
    v4.map(lambda t: f" {t}\n"),
    v4.map(lambda t: f"::ffff:{t}"),
)


@given(st.lists(st.none() | texts, max_size=30))
@example(["1.2.3.4", None, "", "1.2.3.4 ", "::1.2.3.4", "::ffff:0:0", "0::0", "1.2.3.4\x00"])
@settings(max_examples=150)
def test_addresses_read_as_ipaddress_reads_them(values: list[str | None]) -> None:
    column = pa.array(values, pa.string())
    for given_column in (
        column,
        pa.chunked_array([column, column.slice(1)]),
        column.dictionary_encode(),
    ):
        canonical, packed = parse_addresses(given_column)
        expected = [oracle(value) for value in given_column.to_pylist()]
        assert list(zip(canonical.to_pylist(), packed.to_pylist(), strict=True)) == expected
        assert canonical.type == pa.string()
        assert packed.type == pa.binary(16)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("010.1.1.1", None),
        ("1.2.3.04", None),
        ("::ffff:1.2.3.4", "1.2.3.4"),
        ("::FFFF:102:304", "1.2.3.4"),
        ("0.0.0.0", None),
        ("::", None),
        ("::ffff:0.0.0.0", None),
        ("fe80::1%eth0", None),
        ("203.0.113.1/32", None),
        ("  203.0.113.1\t", "203.0.113.1"),
        ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("::1.2.3.4", "::102:304"),
        ("3405803777", None),
        ("0x1.2.3.4", None),
        ("203.0.113", None),
        ("n/a", None),
        ("", None),
        (None, None),
    ],
)
def test_address_by_example(text: str | None, canonical: str | None) -> None:
    assert parse_addresses(pa.array([text], pa.string()))[0].to_pylist() == [canonical]


def test_unspecified_addresses_are_packed_for_networks() -> None:
    packed = pack_addresses(pa.array(["0.0.0.0", "::", "x"])).to_pylist()
    assert packed == [bytes(10) + b"\xff\xff" + bytes(4), bytes(16), None]


def test_empty_and_null_columns() -> None:
    for column in (pa.array([], pa.string()), pa.nulls(3), pa.nulls(2, pa.string())):
        canonical, packed = parse_addresses(column)
        assert (
            canonical.null_count == packed.null_count == len(parse_domains(column)) == len(column)
        )


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Example.ORG.", "example.org"),
        (" www.example.org ", "www.example.org"),
        ("Bücher.example", "xn--bcher-kva.example"),
        ("پاکستان.example", "xn--mgbai9azgqp6j.example"),
        ("WWW.XN--BCHER-KVA.example", "www.xn--bcher-kva.example"),
        ("_dmarc.example.org", "_dmarc.example.org"),
        ("localhost", None),
        ("198.51.100.7", None),
        ("1.2.3", None),
        ("example.0x7f", None),
        ("2001:db8::1", None),
        ("[2001:db8::1]", None),
        ("http://example.org", None),
        ("example..org", None),
        ("example.org..", None),
        (".example.org", None),
        ("-a.example", None),
        ("a-.example", None),
        ("a b.example", None),
        ("a\u0000.example", None),
        ("x" * 63 + ".example", "x" * 63 + ".example"),
        ("x" * 64 + ".example", None),
        (".".join(["abcdefgh"] * 28), ".".join(["abcdefgh"] * 28)),
        (".".join(["abcdefgh"] * 29), None),
        ("☃☃..example", None),
        ("", None),
        (None, None),
    ],
)
def test_domain_by_example(text: str | None, name: str | None) -> None:
    assert parse_domains(pa.array([text], pa.string())).to_pylist() == [name]


names = st.lists(st.text("abc", max_size=3), min_size=1, max_size=5).map(".".join)


@given(st.lists(st.none() | names, max_size=20), st.integers(0, 5))
def test_labels_are_reversed_as_text_is(values: list[str | None], skip: int) -> None:
    column = pa.array(values, pa.string()).slice(skip)
    expected = [v and ".".join(reversed(v.split("."))) for v in column.to_pylist()]
    assert reverse_labels(column).to_pylist() == expected


@given(st.lists(st.none() | st.text(max_size=40), max_size=10))
def test_a_normalized_name_stays_as_it_is(values: list[str | None]) -> None:
    once = parse_domains(pa.array(values, pa.string()))
    assert parse_domains(once).equals(once)


DOUBTED = st.text("ab09-._A", min_size=0, max_size=12) | st.sampled_from(
    ["a" * 63 + ".example", "a" * 64 + ".example", "x.0x1f", "x.1a", ".".join("a" * 127)]
)


@given(st.lists(st.none() | DOUBTED, max_size=20))
def test_a_column_of_names_is_read_as_each_name_alone(values: list[str | None]) -> None:
    alone = [parse_domains(pa.array([value, "~"], pa.string()))[0].as_py() for value in values]
    assert parse_domains(pa.array(values, pa.string())).to_pylist() == alone
