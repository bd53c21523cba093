"""Which rows are the same event: a salted 64-bit key per row, computed by columns.

The same thing at the same place on the same UTC day is one event. "Thing and place" are the
columns of `IDENTITY`. Every present value is turned into 64 bits (text by simple tabulation
hashing, M. Thorup, "Fast and Powerful Hashing Using Tabulation", 2017; numbers by the finalizer of
MurmurHash3), every column has constants of its own, and the sum is finalized once more. All
constants are drawn from the installation's salt by SHAKE-256, so that nobody outside can construct
two events with one key. NULL adds nothing: a column that a batch lacks costs nothing.

The recipe is part of the stored data: `tests/lake/test_identity.py` holds vectors of it.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

UInt64s = npt.NDArray[np.uint64]
Int64s = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

SALT_BYTES = 16
TEXTS = (
    "feed_name",
    "feed_code",
    "classification_type",
    "classification_identifier",
    "source_fqdn",
    "source_url",
    "source_account",
    "destination_fqdn",
    "protocol_transport",
    "protocol_application",
    "malware_name",
    "malware_hash_sha256",
)
ADDRESSES = ("source_address", "destination_address")
NUMBERS = ("source_port", "destination_port")
#: Names in the order of their constants; append only, or stored keys lose their meaning.
IDENTITY = ("day", *TEXTS, *ADDRESSES, *NUMBERS)

_POSITIONS, _BYTES = 256, 256  # longer text is digested first
_CHUNK_BYTES = 1 << 17  # text worked at a time: fits the processor's cache
_PLACES = np.arange(_CHUNK_BYTES + _POSITIONS) * _BYTES
_SAMPLE = 2_000  # rows looked at before a column is called repetitive


@functools.lru_cache(maxsize=4)
def _constants(salt: bytes) -> tuple[UInt64s, dict[str, int]]:
    """The tabulation table (position times 256 plus byte) and one constant per column."""
    drawn = hashlib.shake_256(b"muhafiz event key 1\0" + salt).digest(
        8 * (_POSITIONS * _BYTES + 2 * len(IDENTITY))
    )
    words = np.frombuffer(drawn, dtype="<u8")
    table = words[: _POSITIONS * _BYTES].astype(np.uint64)
    rest = words[_POSITIONS * _BYTES :]
    return table, {name: int(rest[at]) for at, name in enumerate(IDENTITY)}


def mixed(values: UInt64s) -> UInt64s:
    """MurmurHash3's 64-bit finalizer, in place: a bijection that spreads every bit."""
    shift = np.uint64(33)
    values ^= values >> shift
    values *= np.uint64(0xFF51AFD7ED558CCD)
    values ^= values >> shift
    values *= np.uint64(0xC4CEB9FE1A85EC53)
    values ^= values >> shift
    return values


def event_keys(columns: dict[str, pa.Array], days: Int64s, salt: bytes) -> Int64s:
    """One key per row.

    Args:
        columns: the identity's columns that hold any value (strings may be dictionary-encoded).
        days: UTC day of each row, days since 1970.
        salt: the installation's `SALT_BYTES` bytes.
    """
    table, constants = _constants(salt)
    total = mixed(days.astype(np.uint64) + np.uint64(constants["day"]))
    for name in TEXTS:
        if name in columns:
            _add_text(total, columns[name], table, constants[name])
    for name in ADDRESSES:
        if name in columns:
            _add_addresses(total, columns[name], constants[name])
    for name in NUMBERS:
        if name in columns:
            _add_numbers(total, columns[name], constants[name])
    return mixed(total).view(np.int64)


def _add_text(total: UInt64s, column: pa.Array, table: UInt64s, constant: int) -> None:
    if pa.types.is_dictionary(column.type):
        words = mixed(_tabulated(column.dictionary, table) + np.uint64(constant))
        if len(words) == 1 and not column.null_count:
            total += words[0]
            return
        words = np.append(words, np.uint64(0))  # where NULL points
        total += words[column.indices.fill_null(len(words) - 1).to_numpy(zero_copy_only=False)]
        return
    words = mixed(_tabulated(column, table) + np.uint64(constant))
    _add_present(total, words, column)


def _add_addresses(total: UInt64s, column: pa.Array, constant: int) -> None:
    high, low = address_halves(column)
    words = mixed(low + np.uint64(constant))
    words ^= high
    _add_present(total, mixed(words + np.uint64(constant >> 1)), column)


def _add_numbers(total: UInt64s, column: pa.Array, constant: int) -> None:
    values = column.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64).view(np.uint64)
    _add_present(total, mixed(values + np.uint64(constant)), column)


def _add_present(total: UInt64s, words: UInt64s, column: pa.Array) -> None:
    if column.null_count:
        words = np.where(present(column), words, np.uint64(0))
    total += words


def present(column: pa.Array) -> npt.NDArray[np.bool_]:
    """Which rows have a value."""
    valid: npt.NDArray[np.bool_] = pc.is_valid(column).to_numpy(zero_copy_only=False)
    return valid


def address_halves(column: pa.Array) -> tuple[UInt64s, UInt64s]:
    """High and low 64 bits of 16-byte addresses; what stands at NULL has no meaning."""
    raw = np.frombuffer(column.buffers()[1], dtype=">u8")
    words = raw[2 * column.offset : 2 * (column.offset + len(column))].reshape(-1, 2)
    return words[:, 0].astype(np.uint64), words[:, 1].astype(np.uint64)


def text_parts(column: pa.Array) -> tuple[Int64s, npt.NDArray[np.uint8]]:
    """Offsets (one more than rows) into the bytes of a string column. NULL is made empty."""
    column = column.fill_null("") if column.null_count else column
    wide = np.int64 if pa.types.is_large_string(column.type) else np.int32
    whole = np.frombuffer(column.buffers()[1], dtype=wide)
    offsets: Int64s = whole[column.offset : column.offset + len(column) + 1].astype(np.int64)
    data = column.buffers()[2]
    return offsets, np.frombuffer(data if data is not None else b"", dtype=np.uint8)


def text_chunks(offsets: Int64s) -> Iterator[tuple[int, int]]:
    """Row ranges of about `_CHUNK_BYTES` of text each."""
    rows = len(offsets) - 1
    start = 0
    while start < rows:
        end = int(np.searchsorted(offsets, offsets[start] + _CHUNK_BYTES, side="right")) - 1
        end = min(max(end, start + 1), rows)
        yield start, end
        start = end


def _tabulated(column: pa.Array, table: UInt64s) -> UInt64s:
    """Sum of the table's words over position and byte of each text."""
    offsets, data = text_parts(column)
    found = np.zeros(len(column), dtype=np.uint64)
    lengths = np.diff(offsets)
    long_rows = np.flatnonzero(lengths > _POSITIONS)
    if len(long_rows):
        offsets, data, lengths = _shortened(offsets, data, long_rows)
    for start, end in text_chunks(offsets):
        within = offsets[start : end + 1] - offsets[start]
        at = np.repeat(within[:-1] * -_BYTES, lengths[start:end])  # where each text begins
        at += _PLACES[: len(at)]
        at += data[offsets[start] : offsets[end]]
        sums = np.zeros(len(at) + 1, dtype=np.uint64)
        np.take(table, at, out=sums[1:], mode="clip")
        found[start:end] = np.diff(np.cumsum(sums, out=sums)[within])
    return found


def _shortened(
    offsets: Int64s, data: npt.NDArray[np.uint8], long_rows: Int64s
) -> tuple[Int64s, npt.NDArray[np.uint8], Int64s]:
    """Each over-long text replaced by its length and BLAKE2b digest, 256 bytes at most."""
    whole = data.tobytes()
    texts = [whole[a:b] for a, b in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)]
    for row in long_rows.tolist():
        text = texts[row]
        digest = hashlib.blake2b(text).digest()
        # 200 zero bytes: no readable text of the same length can look like a digest
        texts[row] = (len(text).to_bytes(8, "big") + digest).ljust(_POSITIONS, b"\0")
    lengths = np.array([len(text) for text in texts], dtype=np.int64)
    return (
        np.concatenate(([0], np.cumsum(lengths))).astype(np.int64),
        np.frombuffer(b"".join(texts), dtype=np.uint8),
        lengths,
    )


def encoded(column: pa.Array) -> pa.Array:
    """The strings dictionary-encoded when they repeat; else as they are."""
    sample = column.slice(0, _SAMPLE)
    if pc.count_distinct(sample, mode="all").as_py() * 4 > len(sample):
        return column
    return column.dictionary_encode()
