"""Rows set aside, gathered by their fault; and where very many of them lie, as a few bytes. Pure.

A report may hold millions of rows with one and the same fault. Kept one by one they would fill the
database and tell nothing more than the first thousand, so the rest is kept as places.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Fault:
    """Rows of a SET_ASIDE table with one reason at one column, in the report's order."""

    reason: str
    column: str
    found: pa.Table

    @property
    def places(self) -> Places:
        """Their row numbers."""
        return places_of(self.found)


def faults(found: pa.Table) -> Iterator[Fault]:
    """The rows of a SET_ASIDE table by reason and column, in the order of their first rows."""
    if not found.num_rows:
        return
    columns = pc.fill_null(found.column("column"), "")
    names = pc.binary_join_element_wise(found.column("reason"), columns, "\0")
    encoded = names.combine_chunks().dictionary_encode()
    codes = encoded.indices.to_numpy()
    for code, name in enumerate(encoded.dictionary.to_pylist()):
        reason, column = name.split("\0", 1)
        yield Fault(reason, column, found.take(pa.array(np.flatnonzero(codes == code))))


def places_of(found: pa.Table) -> Places:
    """The row numbers of a table of rows."""
    numbers: Any = found.column("row").combine_chunks().to_numpy()
    return np.asarray(numbers, np.int64)


def packed(places: Places) -> bytes:
    """Rising places as bytes: their distances, compressed. A million neighbors take a few KB."""
    return zlib.compress(np.diff(places, prepend=0).astype("<i8").tobytes(), 1)


def unpacked(kept: bytes) -> Places:
    """The places again."""
    places: Places = np.cumsum(np.frombuffer(zlib.decompress(kept), "<i8"))
    return places
