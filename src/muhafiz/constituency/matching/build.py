"""From claims to match tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from muhafiz.constituency.matching.intervals import NOBODY, Rows, flatten, split_halves
from muhafiz.constituency.matching.tables import FOR_EVER, SINCE_EVER, MatchTables
from muhafiz.constituency.rules import precedence
from muhafiz.formats.addresses import pack_addresses
from muhafiz.formats.events import ATTRIBUTION

_EPOCH = date(1970, 1, 1).toordinal()
_V4_BITS, _V6_BITS = 32, 128


class ClaimRow(NamedTuple):
    """A claim for as long as its owner stood in one sector."""

    id: int
    organization_id: int
    sector: str
    kind: str
    text: str
    origin: str
    claimed_from: date | None  # the claim's own start, which decides between equals
    valid_from: date | None
    valid_to: date | None


class _Part:
    """The claims of one kind in winning order, grouped by what they claim."""

    def __init__(self, rows: Sequence[ClaimRow], keyed: Iterable[tuple[Any, int]]) -> None:
        ranked = sorted(
            (key, *precedence(rows[at].origin, rows[at].claimed_from, rows[at].id), at)
            for key, at in keyed
        )
        self.order = [entry[-1] for entry in ranked]
        self.keys: list[Any] = []
        heads = []
        for place, entry in enumerate(ranked):
            if not self.keys or entry[0] != self.keys[-1]:
                self.keys.append(entry[0])
                heads.append(place)
        self.heads: Rows = np.array(heads, np.int32)

    def following(self, parents: Sequence[int]) -> Rows:
        """Who is asked after each row: the next of its group, else the parent group's first."""
        after = np.arange(1, len(self.order) + 1, dtype=np.int32)
        last = np.append(self.heads, np.int32(len(self.order)))[1:] - 1
        after[last] = self.rows_of(parents)
        return after

    def rows_of(self, groups: Sequence[int]) -> Rows:
        """The first row of each group, -1 for no group."""
        places = np.array(groups, np.int32)
        padded = np.append(self.heads, np.int32(NOBODY))
        return padded[places]


def build_tables(claims: Iterable[ClaimRow], token: str) -> MatchTables:
    """Order the claims by the rules of docs/constituency.md and cut the address spaces."""
    rows = list(claims)
    v4, v6 = (_Part(rows, keyed) for keyed in _networks(rows))
    domains = _Part(rows, ((row.text, at) for at, row in enumerate(rows) if row.kind == "domain"))
    asns = _Part(
        rows, ((int(row.text[2:]), at) for at, row in enumerate(rows) if row.kind == "asn")
    )
    v4_bounds, v4_tops, v4_parents = flatten(*_columns(v4.keys), _V4_BITS)
    v6_bounds, v6_tops, v6_parents = flatten(*_columns(v6.keys), _V6_BITS)
    high, low = split_halves(v6_bounds)
    chained = [
        (v4, v4_parents),
        (v6, v6_parents),
        (domains, _enclosing_domains(domains.keys)),
        (asns, [NOBODY] * len(asns.keys)),
    ]
    bases = np.cumsum([0, *(len(part.order) for part, _ in chained)])
    ordered = [rows[at] for part, _ in chained for at in part.order]
    following = [
        _shift(part.following(parents), base)
        for (part, parents), base in zip(chained, bases, strict=False)
    ]
    return MatchTables(
        token=token,
        v4_bounds=np.array(v4_bounds, np.uint32),
        v4_rows=_shift(v4.rows_of(v4_tops), bases[0]),
        v6_high=high,
        v6_low=low,
        v6_rows=_shift(v6.rows_of(v6_tops), bases[1]),
        domains=pa.array(domains.keys, pa.string()),
        domain_labels=max((name.count(".") + 1 for name in domains.keys), default=0),
        domain_rows=_shift(domains.heads, bases[2]),
        asns=np.array(asns.keys, np.int64),
        asn_rows=_shift(asns.heads, bases[3]),
        following=np.concatenate(following),
        first_day=_days((row.valid_from for row in ordered), SINCE_EVER),
        last_day=_days((row.valid_to for row in ordered), FOR_EVER),
        facts=_facts(ordered),
    )


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - _EPOCH


def _shift(rows: Rows, base: int) -> Rows:
    return np.where(rows < 0, rows, rows + np.int32(base)).astype(np.int32)


def _columns(keys: Sequence[tuple[int, int]]) -> tuple[list[int], list[int]]:
    return [start for start, _ in keys], [length for _, length in keys]


def _networks(
    rows: Sequence[ClaimRow],
) -> tuple[list[tuple[tuple[int, int], int]], list[tuple[tuple[int, int], int]]]:
    """((first address, prefix length), row) of all IPv4 networks, and of all IPv6 networks."""
    places = [at for at, row in enumerate(rows) if row.kind == "address"]
    parts = pc.split_pattern(pa.array([rows[at].text for at in places], pa.string()), "/")
    pieces = parts.flatten()
    packed = pack_addresses(pieces[0::2] if len(pieces) else pieces).to_pylist()
    lengths = pieces[1::2].cast(pa.int32()).to_pylist() if len(pieces) else []
    v4, v6 = [], []
    for at, start, length in zip(places, packed, lengths, strict=True):
        if ":" in rows[at].text:
            v6.append(((int.from_bytes(start), length), at))
        else:
            v4.append(((int.from_bytes(start[12:]), length), at))
    return v4, v6


def _enclosing_domains(names: Sequence[str]) -> list[int]:
    """For each name, the claimed name next above it, or -1."""
    known = {name: place for place, name in enumerate(names)}
    parents = []
    for name in names:
        upper = name.partition(".")[2]
        while upper and upper not in known:
            upper = upper.partition(".")[2]
        parents.append(known.get(upper, NOBODY))
    return parents


def _days(days: Iterable[date | None], otherwise: int) -> Rows:
    return np.array([otherwise if day is None else day_number(day) for day in days], np.int32)


def _facts(rows: Sequence[ClaimRow]) -> pa.Table:
    return pa.table(
        {
            "organization_id": pa.array([row.organization_id for row in rows], pa.int64()),
            "sector": pa.array([row.sector or None for row in rows], pa.string()),
            "network_id": pa.array([row.id for row in rows], pa.int64()),
            "network": pa.array([row.text for row in rows], pa.string()),
            "network_kind": pa.array([row.kind for row in rows], pa.string()),
        },
        schema=ATTRIBUTION,
    )
