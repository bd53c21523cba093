"""The match tables: every claim that ever held, ordered so that history costs nothing.

Claims of one prefix (or domain, or ASN) stand in the order in which they win; each row knows the
row that comes after it: the next of its prefix, else the first of the prefix around. A search
finds the first row of the narrowest prefix; as long as a row does not hold on the event's day,
the next one is asked. One table serves all days, however often owners changed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from muhafiz.constituency.matching.intervals import Halves, Rows, find_v4, find_v6

Days = npt.NDArray[np.int32]  # since 1970-01-01
SINCE_EVER = int(np.iinfo(np.int32).min)
FOR_EVER = int(np.iinfo(np.int32).max)


@dataclass(frozen=True, slots=True, eq=False)
class MatchTables:
    """Everything attribution needs, read-only and safe to share between threads.

    The `…_rows` arrays give, for an interval, name or number, the row of `facts` to ask first
    (-1: nobody); `following` the row to ask when one does not hold on the day.
    """

    token: str  # the constituency's version that these were built from
    v4_bounds: npt.NDArray[np.uint32]
    v4_rows: Rows
    v6_high: Halves
    v6_low: Halves
    v6_rows: Rows
    domains: pa.Array  # distinct names
    domain_labels: int  # of the longest name; longer names need not be looked for
    domain_rows: Rows
    asns: npt.NDArray[np.int64]  # ascending
    asn_rows: Rows
    following: Rows
    first_day: Days
    last_day: Days  # the first day that it holds no more
    facts: pa.Table  # the columns of formats.events.ATTRIBUTION

    def holding(self, rows: Rows, days: Days) -> Rows:
        """From each first row, the row that holds on its day, or -1."""
        rows = rows.copy()
        asked = np.flatnonzero(rows >= 0)
        while asked.size:
            current, day = rows[asked], days[asked]
            missed = (day < self.first_day[current]) | (day >= self.last_day[current])
            asked = asked[missed]
            rows[asked] = self.following[current[missed]]
            asked = asked[rows[asked] >= 0]
        return rows

    def rows_of_v4(self, addresses: npt.NDArray[np.uint32]) -> Rows:
        """The first row to ask for each IPv4 address."""
        return self.v4_rows[find_v4(self.v4_bounds, addresses)]

    def rows_of_v6(self, high: Halves, low: Halves) -> Rows:
        """The first row to ask for each IPv6 address."""
        return self.v6_rows[find_v6((self.v6_high, self.v6_low), (high, low))]

    def rows_of_asns(self, numbers: npt.NDArray[np.int64]) -> Rows:
        """The first row to ask for each autonomous system."""
        if not len(self.asns):
            return np.full(len(numbers), -1, np.int32)
        places = np.minimum(np.searchsorted(self.asns, numbers), len(self.asns) - 1)
        return np.where(self.asns[places] == numbers, self.asn_rows[places], np.int32(-1))

    def rows_of_domains(self, names: pa.Array) -> Rows:
        """The first row to ask for each name: that of its longest claimed suffix.

        Suffixes begin at a label: "example.org" covers "www.example.org", not "anexample.org".
        """
        found = np.full(len(names), -1, np.int32)
        if not len(self.domains) or not len(names):
            return found
        surplus = pc.count_substring(names, ".").to_numpy(False) + 1 - self.domain_labels
        names = drop_labels(names, np.maximum(surplus, 0))
        suffixes, rows = [names], [np.arange(len(names))]
        while (longer := pc.match_substring(suffixes[-1], ".").to_numpy(False)).any():
            names = suffixes[-1].filter(pa.array(longer))
            suffixes.append(drop_labels(names, np.ones(len(names), np.int64)))
            rows.append(rows[-1][longer])
        # One search for all: Arrow hashes the claimed names anew for each.
        places = pc.index_in(pa.concat_arrays(suffixes), value_set=self.domains)
        known = np.flatnonzero(places.is_valid().to_numpy(False))[::-1]  # longest suffix last
        chosen = places.drop_null().to_numpy()[::-1]
        found[np.concatenate(rows)[known]] = self.domain_rows[chosen]
        return found


def drop_labels(names: pa.Array, counts: npt.NDArray[np.int64]) -> pa.Array:
    """Names without their first `counts` labels; each must have more labels than that."""
    _, ends_buffer, letters_buffer = names.buffers()
    ends = np.frombuffer(ends_buffer, np.int32)[names.offset :][: len(names) + 1].astype(np.int64)
    letters = np.frombuffer(letters_buffer or b"", np.uint8)
    dots = np.append(np.flatnonzero(letters == ord(".")), 0)
    cut = dots[np.maximum(np.searchsorted(dots[:-1], ends[:-1]) + counts - 1, 0)] + 1
    starts = np.where(counts > 0, cut, ends[:-1])
    lengths = ends[1:] - starts
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    kept = letters[np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], lengths)]
    return pa.StringArray.from_buffers(
        len(names), pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(kept)
    )
