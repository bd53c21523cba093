"""Attribution against the plainest oracle there is: every claim tried with `ipaddress`."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from muhafiz.constituency.attribution import attribute
from muhafiz.constituency.matching.build import ClaimRow, build_tables
from muhafiz.formats.addresses import parse_addresses
from muhafiz.formats.events import ADDRESS, ATTRIBUTION, TIME

DAY_ZERO = date(2026, 11, 1)


@dataclass(frozen=True)
class Event:
    address: str | None
    fqdn: str | None
    asn: int | None
    source: int | None
    observation: int


def v4_network() -> st.SearchStrategy[str]:
    """Prefixes from a small corner, so that they nest, touch and repeat; and the whole space."""
    return st.builds(
        lambda low, length: str(ipaddress.ip_network((0xCB007100 | low, length), strict=False)),
        st.integers(0, 31),
        st.sampled_from([0, 1, 8, 24, 26, 27, 28, 29, 30, 31, 32]),
    ) | st.sampled_from(["0.0.0.0/0", "0.0.0.0/8", "0.0.0.0/32", "255.255.255.255/32"])


def v6_network() -> st.SearchStrategy[str]:
    return st.builds(
        lambda high, low, length: str(
            ipaddress.ip_network(((0x20010DB8 << 96) | (high << 64) | low, length), strict=False)
        ),
        st.integers(0, 3),
        st.integers(0, 7),
        st.sampled_from([0, 32, 62, 63, 64, 65, 125, 126, 127, 128]),
    ) | st.sampled_from(["::/0", "::/96", "ffff::/16", "::/128"])


DOMAINS = ["org", "example.org", "a.example.org", "b.a.example.org", "ample.org", "example.net"]
KIND_AND_TEXT = (
    st.tuples(st.just("address"), v4_network())
    | st.tuples(st.just("address"), v6_network())
    | st.tuples(st.just("domain"), st.sampled_from(DOMAINS[1:]))
    | st.tuples(st.just("asn"), st.sampled_from(["AS64500", "AS64501", "AS4294967295"]))
)
DAYS = st.none() | st.integers(-3, 3)


@st.composite
def claims(draw: st.DrawFn) -> list[ClaimRow]:
    rows = []
    for identifier in range(1, draw(st.integers(0, 14)) + 1):
        kind, text = draw(KIND_AND_TEXT)
        start, end = (
            None if offset is None else DAY_ZERO + timedelta(days=offset)
            for offset in (draw(DAYS), draw(DAYS))
        )
        origin = draw(st.sampled_from(["automatic", "manual"]))
        rows.append(
            ClaimRow(identifier, 100 + identifier, "power", kind, text, origin, start, start, end)
        )
    return rows


def addresses() -> st.SearchStrategy[str | None]:
    near_v4 = st.integers(-2, 40).map(lambda low: str(ipaddress.IPv4Address(0xCB007100 + low)))
    near_v6 = st.builds(
        lambda high, low: str(ipaddress.IPv6Address((0x20010DB8 << 96) + (high << 64) + low)),
        st.integers(0, 4),
        st.integers(0, 9) | st.just(2**64 - 1),
    )
    edges = ["0.0.0.0", "0.0.0.1", "255.255.255.255", "::", "::1", "ffff::", "::ffff:203.0.113.9"]
    return st.none() | near_v4 | near_v6 | st.sampled_from(edges)


EVENTS = st.builds(
    Event,
    address=addresses(),
    fqdn=st.none() | st.sampled_from([*DOMAINS, "x.ample.org", "www.b.a.example.org", "c.d.e.f"]),
    asn=st.none() | st.sampled_from([64500, 64501, 64502, 0, 4294967295]),
    source=st.none() | st.integers(-4, 4),
    observation=st.integers(-4, 4),
)


def moment(offset: int | None) -> datetime | None:
    if offset is None:
        return None
    return datetime(2026, 11, 1, 23, 59, 59, 999999, tzinfo=UTC) + timedelta(days=offset)


def batch_of(events: list[Event]) -> pa.Table:
    text, packed = parse_addresses(pa.array([event.address for event in events], pa.string()))
    return pa.table(
        {
            "time_source": pa.array([moment(event.source) for event in events], TIME),
            "source_ip": text,
            "source_address": packed.cast(ADDRESS),
            "source_asn": pa.array([event.asn for event in events], pa.int64()),
            "source_fqdn": pa.array([event.fqdn for event in events], pa.string()),
            "time_observation": pa.array([moment(e.observation) for e in events], TIME),
        }
    )


def oracle(event: Event, rows: list[ClaimRow]) -> ClaimRow | None:
    """The rules of docs/constituency.md, word by word."""
    day = DAY_ZERO + timedelta(days=event.observation if event.source is None else event.source)
    held = [
        row
        for row in rows
        if (row.valid_from is None or row.valid_from <= day)
        and (row.valid_to is None or day < row.valid_to)
    ]
    ranked = [_by_address(event, held), _by_domain(event, held), _by_asn(event, held)]
    for candidates in ranked:
        if candidates:
            return min(candidates, key=lambda pair: (-pair[0], *_preference(pair[1])))[1]
    return None


def _preference(row: ClaimRow) -> tuple[bool, int, int]:
    return (row.origin != "manual", -(row.claimed_from or date.min).toordinal(), row.id)


def _by_address(event: Event, rows: list[ClaimRow]) -> list[tuple[int, ClaimRow]]:
    if event.address is None:
        return []
    address = ipaddress.ip_address(event.address)
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_unspecified:
        return []
    networks = [(ipaddress.ip_network(row.text), row) for row in rows if row.kind == "address"]
    return [(net.prefixlen, row) for net, row in networks if address in net]


def _by_domain(event: Event, rows: list[ClaimRow]) -> list[tuple[int, ClaimRow]]:
    name = "." + (event.fqdn or "")
    return [
        (len(row.text), row)
        for row in rows
        if row.kind == "domain" and name.endswith("." + row.text)
    ]


def _by_asn(event: Event, rows: list[ClaimRow]) -> list[tuple[int, ClaimRow]]:
    return [(0, row) for row in rows if row.kind == "asn" and row.text == f"AS{event.asn}"]


@given(claims(), st.lists(EVENTS, max_size=12))
@settings(max_examples=400)
def test_every_event_goes_to_the_owner_that_the_oracle_names(
    rows: list[ClaimRow], events: list[Event]
) -> None:
    found = attribute(batch_of(events), build_tables(rows, "t"))
    assert found.schema.field("organization_id").type == ATTRIBUTION.field("organization_id").type
    for event, line in zip(events, found.to_pylist(), strict=True):
        expected = oracle(event, rows)
        got = (line["network_id"], line["organization_id"], line["network"], line["network_kind"])
        if expected is None:
            assert got == (None, None, None, None)
            assert line["sector"] is None
        else:
            assert got == (
                expected.id,
                expected.organization_id,
                expected.text,
                expected.kind,
            )
            assert line["sector"] == "power"


@given(claims(), st.lists(EVENTS, max_size=12), st.integers(0, 6), st.integers(0, 6))
@settings(max_examples=60)
def test_slices_and_chunks_are_attributed_like_the_whole(
    rows: list[ClaimRow], events: list[Event], cut: int, skip: int
) -> None:
    tables = build_tables(rows, "t")
    whole = attribute(batch_of(events), tables)
    batch = batch_of(events)
    chunked = pa.concat_tables([batch.slice(0, cut), batch.slice(cut)])
    assert attribute(chunked, tables).combine_chunks().equals(whole.combine_chunks())
    encoded = batch.set_column(
        batch.column_names.index("source_fqdn"),
        "source_fqdn",
        batch["source_fqdn"].dictionary_encode(),
    )
    names = attribute(encoded, tables).column("network_id").to_pylist()
    assert names == whole["network_id"].to_pylist()
    part = attribute(batch.slice(skip), tables)
    assert part.combine_chunks().equals(whole.slice(skip).combine_chunks())
