"""Domain names turned round, a column at a time. Pure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from muhafiz.lake.identity import Int64s, present, text_chunks, text_parts


def reversed_names(column: pa.Array) -> pa.Array:
    """Domain names with their labels reversed: "www.example.org" → "org.example.www"."""
    if pa.types.is_dictionary(column.type):
        turned = reversed_names(column.dictionary)
        return pa.DictionaryArray.from_arrays(column.indices, turned)
    offsets, data = text_parts(column)
    begin = int(offsets[0])
    out = np.full(int(offsets[-1]) - begin, ord("."), dtype=np.uint8)
    for start, end in text_chunks(offsets):
        _reverse_chunk(offsets[start : end + 1], data, out[offsets[start] - begin :])
    valid = None if not column.null_count else pa.array(present(column)).buffers()[1]
    buffers = [valid, pa.py_buffer((offsets - begin).astype(np.int32)), pa.py_buffer(out)]
    return pa.Array.from_buffers(pa.string(), len(column), buffers)


def _reverse_chunk(
    offsets: Int64s, data: npt.NDArray[np.uint8], out: npt.NDArray[np.uint8]
) -> None:
    """Lay the labels of each name into `out`, which is filled with dots, last label first."""
    begin = offsets[0]
    text = data[begin : offsets[-1]]
    letters = text != ord(".")
    lengths = np.diff(offsets)
    named = lengths > 0
    ends, lengths = (offsets[1:] - begin)[named], lengths[named]
    # A label stops at a dot or at its name's end; ends before dots, should a name begin with one.
    dots = np.flatnonzero(~letters)
    stops = np.concatenate((ends, dots))
    order = np.argsort(stops, kind="stable")
    rows = np.concatenate((np.arange(len(ends)), np.searchsorted(ends, dots, side="right")))[order]
    dotted = order >= len(ends)
    stops = stops[order]
    starts = np.concatenate(([0], (stops + dotted)[:-1]))
    shift = (2 * ends - lengths)[rows] - stops - starts
    target = np.arange(len(text)) + np.repeat(shift, stops - starts + dotted)
    out[target[letters]] = text[letters]
