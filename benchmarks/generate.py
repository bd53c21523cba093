"""Seeded inputs of the benchmarks: a constituency, Shadowserver reports, events for the store.

Same seed, same bytes. Addresses are drawn from the whole unicast space: nothing here is ever sent.

    python benchmarks/generate.py FOLDER --rows 1000000
"""

from __future__ import annotations

import argparse
import csv
import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from muhafiz.formats.events import ACCEPTED, ADDRESS, TIME

ORGANIZATIONS, V4, V6, DOMAINS, SUB_DOMAINS = 10_000, 80_000, 20_000, 100_000, 15_000
CHUNK = 250_000
DAY = date(2026, 11, 22)
HEADER = "timestamp,ip,protocol,port,hostname,tag,asn,geo,region,city,naics,sic,banner"
SECTORS = ("finance", "energy", "telecom", "health", "government", "education", "transport", "it")
REGIONS = ("SINDH", "PUNJAB", "BALOCHISTAN", "KHYBER PAKHTUNKHWA", "ISLAMABAD", "GILGIT-BALTISTAN")
CITIES = tuple(f"CITY {n}" for n in range(120))
BANNERS = ("login:", "Username:", "BusyBox v1.19.4 login:", "Password:", "(none) login:", "")
TYPES = (
    ("vulnerable", "potentially-unwanted-accessible"),
    ("vulnerable", "weak-crypto"),
    ("vulnerable", "ddos-amplifier"),
    ("vulnerable", "information-disclosure"),
    ("vulnerable", "vulnerable-system"),
    ("malicious-code", "infected-system"),
    ("malicious-code", "c2-server"),
    ("malicious-code", "malware-distribution"),
    ("malicious-code", "malware-configuration"),
    ("information-gathering", "scanner"),
    ("information-gathering", "sniffing"),
    ("information-gathering", "social-engineering"),
    ("intrusion-attempts", "ids-alert"),
    ("intrusion-attempts", "brute-force"),
    ("intrusion-attempts", "exploit"),
    ("intrusions", "privileged-account-compromise"),
    ("intrusions", "application-compromise"),
    ("intrusions", "system-compromise"),
    ("intrusions", "burglary"),
    ("availability", "ddos"),
    ("availability", "dos"),
    ("availability", "misconfiguration"),
    ("fraud", "phishing"),
    ("fraud", "copyright"),
    ("abusive-content", "spam"),
    ("other", "blocklist"),
)
_MAPPED = np.uint64(0xFFFF00000000)


@dataclass(frozen=True)
class Constituency:
    """Parallel arrays; owners are 1-based places in the list of organizations."""

    v4_base: np.ndarray  # uint64
    v4_length: np.ndarray
    v4_owner: np.ndarray
    v6_base: np.ndarray  # upper 64 bits
    v6_length: np.ndarray
    v6_owner: np.ndarray
    domains: list[str]
    domain_owner: np.ndarray

    def networks(self) -> list[str]:
        four = zip(self.v4_base.tolist(), self.v4_length.tolist(), strict=True)
        six = zip(self.v6_base.tolist(), self.v6_length.tolist(), strict=True)
        return [
            *(f"{ipaddress.IPv4Address(base)}/{length}" for base, length in four),
            *(f"{ipaddress.IPv6Address(base << 64)}/{length}" for base, length in six),
        ]


def constituency(seed: int = 1) -> Constituency:
    """10,000 organizations; 80,000 v4 and 20,000 v6 networks, nested; 100,000 domains."""
    random = np.random.default_rng(seed)
    v4 = _nested(
        random, V4, tops=8_000, unit=32, top_lengths=(14, 20), low=16 << 24, high=224 << 24
    )
    v6 = _nested(
        random, V6, tops=4_000, unit=64, top_lengths=(29, 40), low=0x2001 << 48, high=0x3000 << 48
    )
    names = [
        f"example{n}.{('pk', 'com.pk', 'org', 'net')[n % 4]}" for n in range(DOMAINS - SUB_DOMAINS)
    ]
    parents = random.integers(0, len(names), SUB_DOMAINS).tolist()
    names += [f"unit{n}.{names[parent]}" for n, parent in enumerate(parents)]
    return Constituency(*v4, *v6, names, random.integers(1, ORGANIZATIONS + 1, DOMAINS))


def _nested(
    random: np.random.Generator,
    count: int,
    *,
    tops: int,
    unit: int,
    top_lengths: tuple[int, int],
    low: int,
    high: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`tops` networks, the rest inside earlier ones; distinct."""
    bases, lengths = np.zeros(0, np.uint64), np.zeros(0, np.int64)
    while len(bases) < count:
        more = max(count - len(bases), 16)
        if len(bases) < tops:
            new_length = random.integers(*top_lengths, tops)
            new = random.integers(low, high, tops, dtype=np.uint64)
        else:
            parent = random.integers(0, len(bases), more)
            span = lengths[parent]
            new_length = np.minimum(span + random.integers(1, 7, more), 28 if unit == 32 else 56)
            inside = random.integers(0, 2**62, more, dtype=np.uint64) % (
                np.uint64(1) << (unit - span).astype(np.uint64)
            )
            new = bases[parent] + inside
        shift = (unit - new_length).astype(np.uint64)
        new = (new >> shift) << shift
        pairs = np.unique(
            np.stack((np.append(bases, new), np.append(lengths, new_length).astype(np.uint64))),
            axis=1,
        )
        bases, lengths = pairs[0], pairs[1].astype(np.int64)
        if len(bases) >= tops and len(bases) > count:
            keep = np.sort(random.permutation(len(bases))[:count])
            bases, lengths = bases[keep], lengths[keep]
    return bases, lengths, random.integers(1, ORGANIZATIONS + 1, count)


def write_constituency(found: Constituency, folder: Path) -> None:
    """organizations.csv, networks.csv, domains.csv."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(
        folder / "organizations.csv",
        ("id", "name", "sector"),
        ((n, f"Organization {n}", SECTORS[n % len(SECTORS)]) for n in range(1, ORGANIZATIONS + 1)),
    )
    owners = np.concatenate((found.v4_owner, found.v6_owner)).tolist()
    _write(
        folder / "networks.csv",
        ("organization", "network"),
        zip(owners, found.networks(), strict=True),
    )
    _write(
        folder / "domains.csv",
        ("organization", "domain"),
        zip(found.domain_owner.tolist(), found.domains, strict=True),
    )


def _write(path: Path, header: tuple[str, ...], lines: object) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        out = csv.writer(stream)
        out.writerow(header)
        out.writerows(lines)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Hosts:
    """Addresses of `rows` hosts: text, 16 bytes, and the claim they were drawn from (-1: none)."""

    text: pa.Array
    raw: pa.Array
    claim: np.ndarray


def hosts(found: Constituency, random: np.random.Generator, rows: int) -> Hosts:
    """8 % IPv6; a quarter owned by nobody."""
    six = random.random(rows) < 0.08
    owned = random.random(rows) < 0.75
    words = np.zeros((rows, 2), dtype=np.uint64)
    claim = np.full(rows, -1)
    four_at = np.flatnonzero(~six)
    low, chosen = _inside(random, found.v4_base, found.v4_length, 32, owned[four_at])
    low = np.where(
        owned[four_at], low, random.integers(1 << 24, 15 << 24, len(four_at), dtype=np.uint64)
    )
    words[four_at, 1] = low | _MAPPED
    claim[four_at] = np.where(owned[four_at], chosen, -1)
    six_at = np.flatnonzero(six)
    high, chosen = _inside(random, found.v6_base, found.v6_length, 64, owned[six_at])
    away = random.integers(0x3F00 << 48, 0x3F01 << 48, len(six_at), dtype=np.uint64)
    words[six_at, 0] = np.where(owned[six_at], high, away)
    words[six_at, 1] = random.integers(1, 1 << 16, len(six_at), dtype=np.uint64)
    claim[six_at] = np.where(owned[six_at], chosen + V4, -1)
    raw = pa.Array.from_buffers(ADDRESS, rows, [None, pa.py_buffer(words.astype(">u8").tobytes())])
    return Hosts(_texts(words, six_at), raw, claim)


def _inside(
    random: np.random.Generator, base: np.ndarray, length: np.ndarray, unit: int, wanted: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    chosen = random.integers(0, len(base), len(wanted))
    size = np.uint64(1) << (unit - length[chosen]).astype(np.uint64)
    return base[chosen] + random.integers(0, 2**62, len(wanted), dtype=np.uint64) % size, chosen


def _texts(words: np.ndarray, six_at: np.ndarray) -> pa.Array:
    low = words[:, 1]
    octets = pa.array(np.arange(256)).cast(pa.string())
    parts = [
        octets.take(pa.array((low >> np.uint64(s) & np.uint64(255)).astype(np.int64)))
        for s in (24, 16, 8, 0)
    ]
    texts = pc.binary_join_element_wise(*parts, ".")
    raw = words[six_at].astype(">u8").tobytes()
    sixes = [str(ipaddress.IPv6Address(raw[at : at + 16])) for at in range(0, len(raw), 16)]
    mask = np.zeros(len(words), dtype=bool)
    mask[six_at] = True
    return (
        pc.replace_with_mask(texts, pa.array(mask), pa.array(sixes, pa.string()))
        if sixes
        else texts
    )


def _drawn(random: np.random.Generator, values: tuple[str, ...] | list[str], rows: int) -> pa.Array:
    return pa.array(values).take(pa.array(random.integers(0, len(values), rows)))


def _host_names(found: Constituency, random: np.random.Generator, rows: int) -> pa.Array:
    """Two thirds have a name, half of these below a constituent's domain; "" else."""
    numbers = pa.array(random.integers(0, 1 << 24, rows)).cast(pa.string())
    ours = pc.binary_join_element_wise(
        "host", numbers, "", null_handling="replace", null_replacement=""
    )
    domain = _drawn(random, found.domains, rows)
    away = _drawn(random, [f"isp{n}.example" for n in range(500)], rows)
    names = pc.binary_join_element_wise(
        ours, pc.if_else(pa.array(random.random(rows) < 0.5), domain, away), "."
    )
    return pc.if_else(pa.array(random.random(rows) < 0.66), names, "")


def write_telnet(
    path: Path, rows: int, found: Constituency, *, seed: int = 2, day: date = DAY
) -> Path:
    """A Shadowserver "accessible telnet" report of `rows` rows, 5 % of them exact repetitions.

    `path` is a folder; the file is named as Shadowserver names it.
    """
    path.mkdir(parents=True, exist_ok=True)
    file = path / f"{day:%Y-%m-%d}-scan_telnet-benchmark_{rows}.csv"
    random = np.random.default_rng(seed)
    with file.open("wb") as stream:
        stream.write(HEADER.encode() + b"\n")
        for start in range(0, rows, CHUNK):
            lines = _telnet_lines(found, random, min(CHUNK, rows - start), day)
            stream.write(memoryview(lines.buffers()[2])[: lines.buffers()[1] and _end(lines)])
    return file


def _end(lines: pa.Array) -> int:
    return int(np.frombuffer(lines.buffers()[1], dtype=np.int32)[len(lines)])


def _telnet_lines(
    found: Constituency, random: np.random.Generator, rows: int, day: date
) -> pa.Array:
    drawn = hosts(found, random, rows)
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    second = pa.array([f"{start + timedelta(seconds=s):%Y-%m-%d %H:%M:%S}" for s in range(86_400)])
    asn = np.where(drawn.claim < 0, 64496, 64512 + drawn.claim % 1_000)
    columns = [
        second.take(pa.array(np.sort(random.integers(0, 86_400, rows)))),
        drawn.text,
        "tcp",
        _drawn(random, ["23", "2323", "23", "23", "5555"], rows),
        _host_names(found, random, rows),
        _drawn(random, ["telnet", "telnet;iot"], rows),
        pa.array(asn).cast(pa.string()),
        "PK",
        _drawn(random, REGIONS, rows),
        _drawn(random, CITIES, rows),
        _drawn(random, ["517311", "518210", "541512"], rows),
        _drawn(random, ["737415", "481302"], rows),
        _drawn(random, BANNERS, rows),
    ]
    quoted = pc.binary_join_element_wise(*columns, '","')
    lines = pc.binary_join_element_wise('"', quoted, '"\n', "")
    order = np.arange(rows)
    again = np.flatnonzero(random.random(rows) < 0.05)
    order[again] = order[np.maximum(again - random.integers(1, 1_000, len(again)), 0)]
    return lines.take(pa.array(order))


def store_days(
    rows: int,
    found: Constituency,
    *,
    days: int = 90,
    last: date = DAY,
    seed: int = 3,
    report_from: int = 1,
) -> Iterator[tuple[int, pa.Table]]:
    """(report id, ACCEPTED table) of each day, oldest first, `rows`/`days` rows each."""
    random = np.random.default_rng(seed)
    networks = pa.array(found.networks())
    for at in range(days):
        size = rows * (at + 1) // days - rows * at // days
        day = last - timedelta(days=days - 1 - at)
        yield report_from + at, accepted(found, networks, random, size, day, report_from + at)


def accepted(  # noqa: PLR0917 - what one day is made of
    found: Constituency,
    networks: pa.Array,
    random: np.random.Generator,
    rows: int,
    day: date,
    report_id: int,
) -> pa.Table:
    """One day's events of all 26 types, attributed."""
    drawn = hosts(found, random, rows)
    kind = random.choice(len(TYPES), rows, p=_weights())
    owned = drawn.claim >= 0
    owners = np.concatenate((found.v4_owner, found.v6_owner))[drawn.claim]
    start = np.datetime64(day, "us")
    times = (start + (random.integers(0, 86_400, rows) * 1_000_000)).astype(np.int64)
    received = start.astype(np.int64) + 90_000_000_000
    names = _host_names(found, random, rows)
    names = pc.if_else(pc.equal(names, ""), None, names)
    nobody = pa.array(~owned)
    codes = [f"feed_{n % 12}" for n in range(len(TYPES))]
    place = random.integers(0, len(CITIES), rows)
    extra = [
        f'{{"region":"{REGIONS[n % 6]}","city":"{city}","naics":"517311"}}'
        for n, city in enumerate(CITIES)
    ]
    network_at = pa.array(drawn.claim, mask=~owned)
    given = {
        "row": pa.array(np.arange(1, rows + 1)),
        "time_source": pa.array(times).cast(TIME),
        "feed_provider": _same("Shadowserver", rows),
        "feed_name": _by(codes, kind),
        "feed_code": _by(codes, kind),
        "classification_taxonomy": _by([t for t, _ in TYPES], kind),
        "classification_type": _by([t for _, t in TYPES], kind),
        "classification_identifier": _by([f"open-{n}" for n in range(len(TYPES))], kind),
        "severity": _by(["medium", "high", "low"], kind % 3),
        "tlp": _same("AMBER", rows),
        "source_ip": drawn.text,
        "source_address": drawn.raw,
        "source_port": pa.array((random.integers(0, 40, rows) + 23).astype(np.int32)),
        "source_asn": pa.array(np.where(owned, 64512 + drawn.claim % 1_000, 64496)),
        "source_fqdn": names,
        "source_geolocation_cc": _same("PK", rows),
        "protocol_transport": _same("tcp", rows),
        "extra": _by(extra, place),
        "organization_id": pa.array(owners, mask=~owned),
        "sector": pc.if_else(nobody, None, _by(SECTORS, owners % len(SECTORS))),
        "network_id": network_at,
        "network": networks.take(network_at),
        "network_kind": pc.if_else(nobody, None, "address"),
        "report_id": pa.array(np.full(rows, report_id)),
        "parser": _same("shadowserver/1", rows),
        "time_observation": pa.array(np.full(rows, received)).cast(TIME),
    }
    return pa.table(
        [
            given[f.name].cast(f.type) if f.name in given else pa.nulls(rows, f.type)
            for f in ACCEPTED
        ],
        schema=ACCEPTED,
    )


def _weights() -> np.ndarray:
    weights = 1 / np.arange(1, len(TYPES) + 1)
    return weights / weights.sum()


def _same(value: str, rows: int) -> pa.Array:
    return pa.repeat(value, rows)


def _by(values: list[str] | tuple[str, ...], places: np.ndarray) -> pa.Array:
    return pa.array(values).take(pa.array(places))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, action="append")
    chosen = parser.parse_args()
    found = constituency()
    write_constituency(found, chosen.folder)
    for rows in chosen.rows or [100_000]:
        print(write_telnet(chosen.folder, rows, found))


if __name__ == "__main__":
    main()
