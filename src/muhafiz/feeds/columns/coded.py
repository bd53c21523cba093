"""Columns of texts as distinct values and each row's place among them (Arrow's dictionary arrays).

Most columns of a report say few things many times. Coded, they are read once per distinct text
and reach the lake's files without ever being spelled out row by row. No value of a coded column is
NULL: a row that says nothing has no place.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def coded(values: pa.Array, places: pa.Array) -> pa.Array:
    """The column whose rows say what stands at their `places` among `values`."""
    if values.null_count == len(values):
        return pa.nulls(len(places), pa.string())
    if values.null_count:
        again = values.dictionary_encode()
        values, places = again.dictionary, again.indices.take(places)
    return pa.DictionaryArray.from_arrays(places, values, safe=False)


def constant(text: str, rows: int) -> pa.DictionaryArray:
    """A column that says the same in all rows."""
    return pa.DictionaryArray.from_arrays(
        pa.array(np.zeros(rows, np.int32)), pa.array([text], pa.string())
    )


def filled(column: pa.Array, text: str) -> pa.Array:
    """The column with `text` where a row says nothing."""
    if not column.null_count:
        return column
    if not pa.types.is_dictionary(column.type):
        return pc.fill_null(column, text)
    values = pa.concat_arrays([column.dictionary, pa.array([text], pa.string())])
    return coded(values, pc.fill_null(column.indices, len(values) - 1))


def spelled(column: pa.Array) -> pa.Array:
    """The texts row by row."""
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def spelled_table(table: pa.Table) -> pa.Table:
    """The table with every column's texts row by row."""
    kinds = [
        field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field
        for field in table.schema
    ]
    return table.cast(pa.schema(kinds))
