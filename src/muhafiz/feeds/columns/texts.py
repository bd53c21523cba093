"""A column of texts on its way to values: its distinct texts, each read once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from muhafiz.feeds.columns import readings
from muhafiz.feeds.columns.coded import coded

_SAMPLE = 2_000


def plain_array(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """A column as one array, without a copy where it is one already."""
    if not isinstance(column, pa.ChunkedArray):
        return column
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


@dataclass(slots=True)
class Column:
    """Distinct texts and each row's place among them; no places where hardly a text repeats."""

    values: pa.Array
    indices: pa.Array | None

    @classmethod
    def of(cls, texts: pa.Array | pa.ChunkedArray) -> Column:
        """Encode; trim; empty is NULL."""
        array = plain_array(texts)
        if _hardly_repeats(array):
            return cls(readings.empty_to_null(array), None)
        encoded = array.dictionary_encode()
        return cls(readings.empty_to_null(encoded.dictionary), encoded.indices)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.values if self.indices is None else self.indices)

    def text(self, row: int) -> str:
        """One row's text, which must be there."""
        place = row if self.indices is None else self.indices[row].as_py()
        return str(self.values[place].as_py())

    def spread(self, read: pa.Array) -> pa.Array:
        """A reading of the distinct values for all rows; texts stay coded."""
        if self.indices is None:
            return read
        if pa.types.is_string(read.type):
            return coded(read, self.indices)
        return read.take(self.indices)

    def unread(self, read: pa.Array) -> Any:
        """Indexes of the rows whose text is there and was not read."""
        bad = pc.and_(pc.is_valid(self.values), pc.is_null(read))
        if not pc.any(bad).as_py():
            return np.empty(0, np.int64)
        mask = pc.fill_null(self.spread(bad), False)
        return np.flatnonzero(mask.to_numpy(zero_copy_only=False))

    def texts(self) -> pa.Array:
        """The texts of all rows."""
        return self.spread(self.values)


def _hardly_repeats(texts: pa.Array) -> bool:
    """Whether looking for repetitions would cost more than it spares: a guess by a few rows."""
    if not pa.types.is_string(texts.type) or len(texts) < _SAMPLE:
        return False
    sample = texts.slice(len(texts) - _SAMPLE)
    said = sample.filter(pc.not_equal(sample, ""))
    return bool(pc.count_distinct(said).as_py() * 10 > len(said) * 9)


def distinct(texts: pa.Array) -> pa.DictionaryArray:
    """Texts that are distinct already, said so that nobody looks for repetitions again."""
    places = pa.array(np.arange(len(texts), dtype=np.int32))
    return pa.DictionaryArray.from_arrays(places, pc.fill_null(texts, ""))
