"""The match tables: every claim that ever held, ordered so that history costs nothing.

Claims of one prefix (or domain, or ASN) stand in the order in which they win; each row knows the
row that comes after it: the next of its prefix, else the first of the prefix around. A search
finds the first row of the narrowest prefix; as long as a row does not hold on the event's day,
the next one is asked. One table serves all days, however often owners changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from muhafiz.constituency.matching.intervals import Halves, Rows, find_v4, find_v6
from muhafiz.constituency.matching.suffixes import Suffixes

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
        if not len(self.domains) or not len(names):
            return np.full(len(names), -1, np.int32)
        places = _suffixes(self).longest(names, self.domain_labels)
        return np.where(places >= 0, self.domain_rows[places], np.int32(-1))


@lru_cache(maxsize=2)
def _suffixes(tables: MatchTables) -> Suffixes:
    return Suffixes.of(tables.domains)
