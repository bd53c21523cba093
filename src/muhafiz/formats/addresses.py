"""Internet addresses and domain names, a column at a time.

Everything works on the distinct values of a column: a report of a million rows names perhaps a
quarter of a million addresses. Addresses are told strictly: one spelling has one meaning, and
what is not an address is NULL, never 0. Text follows RFC 5952, bytes are 16 big-endian with
IPv4 mapped (RFC 4291 section 2.5.5.2), names are IDNA A-labels (RFC 5890) in lower case.
"""

from __future__ import annotations

import ipaddress
import socket

import idna
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from muhafiz.formats.ipv6_columns import read_v6
from muhafiz.formats.plain_names import doubtful_names

_Bytes = npt.NDArray[np.uint8]

_MAPPED = bytes(10) + b"\xff\xff"
_UNSPECIFIED = (bytes(16), _MAPPED + bytes(4))
_ZERO = ord("0")
_DIGIT = np.full(256, 1_000, np.int16)  # what is no digit makes its number too large
_DIGIT[_ZERO : _ZERO + 10] = np.arange(10)
_PADDING = np.zeros(3, np.int16)
_LEAST = np.array([1_000, 0, 10, 100, 1_000])  # by width, without a leading zero
_DOTS_IN_V4 = 3
_PACKED = pa.binary(16)
_PIECE = 1 << 13  # rows worked at a time: they fit the processor's cache

# Labels of letters, digits, hyphens and underscores (service names), 1 to 63 long, at least two
# of them, the last not numeric: "198.51.100.7" and "1.2.3" are no names.
_LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = rf"^(?:{_LABEL}\.)+[a-z0-9](?:[a-z0-9-]{{0,61}}[a-z0-9])?$"
_NUMERIC_END = r"\.(?:[0-9]+|0x[0-9a-f]*)$"
_LONGEST_NAME = 253


def parse_addresses(texts: pa.Array | pa.ChunkedArray) -> tuple[pa.Array, pa.Array]:
    """Read a column of addresses.

    Surrounding white space is trimmed; IPv4-mapped IPv6 becomes IPv4. NULL stands for everything
    that names no host: no address at all, leading zeros ("010.1.1.1"), zone ids, prefixes, and
    the unspecified addresses 0.0.0.0 and ::.

    Args:
        texts: strings; plain, chunked or dictionary-encoded.

    Returns:
        The canonical text (string) and the 16 bytes (binary(16)), as long as `texts`.
    """
    distinct, indices = _distinct(texts)
    trimmed = _trimmed(distinct)
    packed, rewrite = _packed(trimmed)
    unspecified = pc.is_in(packed, value_set=pa.array(_UNSPECIFIED, _PACKED))
    if pc.any(unspecified).as_py():
        packed = pc.if_else(unspecified, pa.scalar(None, _PACKED), packed)
    canonical = _canonical(trimmed, packed, rewrite)
    if _in_order(indices, len(distinct)):
        return canonical, packed
    return canonical.take(indices), packed.take(indices)


def pack_addresses(texts: pa.Array) -> pa.Array:
    """The 16 bytes of each address as `parse_addresses` reads it, but 0.0.0.0 and :: stay.

    Every value is worked, so give it distinct ones. Networks need this: 0.0.0.0/0 starts there.
    """
    return _packed(_trimmed(texts.cast(pa.string())))[0]


def _trimmed(texts: pa.Array) -> pa.Array:
    """Texts without white space around them; the same array where there is none."""
    letters, _ = _string_bytes(texts)
    if (letters > ord(" ")).all():
        return texts
    return pc.ascii_trim_whitespace(texts)


def _packed(texts: pa.Array) -> tuple[pa.Array, npt.NDArray[np.bool_]]:
    """The bytes of trimmed texts, and which of them are addresses not written canonically."""
    packed: npt.NDArray[np.uint8] = np.zeros((len(texts), 16), np.uint8)
    known = np.zeros(len(texts), bool)
    _pack_v4(texts, packed, known)
    rewrite = _pack_v6(texts, packed, known)
    bitmap = None if known.all() else _bitmap(known)
    array = pa.FixedSizeBinaryArray.from_buffers(
        _PACKED, len(texts), [bitmap, pa.py_buffer(packed)]
    )
    return array, rewrite


def _in_order(indices: pa.Array, count: int) -> bool:
    """Whether `indices` are just 0, 1, 2, … `count` - 1."""
    if len(indices) != count or indices.null_count:
        return False
    return bool((indices.to_numpy() == np.arange(count)).all())


def parse_domains(texts: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Normalize a column of domain names.

    Lower case, without the final dot, non-ASCII labels as A-labels (UTS 46, IDNA 2008). NULL for
    what is no name: a single label, an address literal, labels over 63 or names over 253 bytes,
    a URL.

    Returns:
        The names (string), as long as `texts`.
    """
    distinct, indices = _distinct(texts)
    doubtful = doubtful_names(*_string_bytes(distinct))
    if not len(doubtful):
        names = distinct
    elif len(doubtful) == len(distinct):
        names = _normalized(distinct)
    else:
        mask = np.zeros(len(distinct), bool)
        mask[doubtful] = True
        few = _normalized(distinct.take(pa.array(doubtful)))
        names = pc.replace_with_mask(distinct, pa.array(mask), few)
    empty = pc.equal(names, "")
    if pc.any(empty).as_py():
        names = pc.if_else(empty, pa.scalar(None, pa.string()), names)
    return names if _in_order(indices, len(distinct)) else names.take(indices)


def _normalized(texts: pa.Array) -> pa.Array:
    names = _to_ascii(pc.ascii_trim_whitespace(texts))
    names = pc.ascii_lower(names)
    if pc.any(pc.ends_with(names, ".")).as_py():
        names = pc.replace_substring_regex(names, r"\.$", "")
    good = pc.and_(
        pc.and_not(
            pc.match_substring_regex(names, _NAME), pc.match_substring_regex(names, _NUMERIC_END)
        ),
        pc.less_equal(pc.binary_length(names), _LONGEST_NAME),
    )
    return pc.if_else(good, names, pa.scalar(None, pa.string()))


def reverse_labels(names: pa.Array) -> pa.Array:
    """Names with their labels from the top down: "www.example.org" → "org.example.www".

    A suffix of the name is a prefix of the result, which sorted storage can prune by.
    """
    if pa.types.is_dictionary(names.type):
        turned = reverse_labels(names.dictionary)
        return pa.DictionaryArray.from_arrays(names.indices, turned)
    labels = pc.split_pattern(names, ".")
    ends = labels.offsets.to_numpy()
    counts = np.diff(ends)
    mirrored = np.repeat(ends[:-1] + ends[1:] - 1, counts) - np.arange(ends[0], ends[-1])
    turned = pa.ListArray.from_arrays(
        labels.offsets, labels.values.take(pa.array(mirrored)), mask=names.is_null()
    )
    return pc.binary_join(turned, ".")


def _distinct(texts: pa.Array | pa.ChunkedArray) -> tuple[pa.Array, pa.Array]:
    """The distinct strings of a column, never NULL, and each row's place among them."""
    array = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    if pa.types.is_null(array.type):
        array = array.cast(pa.string())
    encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    return encoded.dictionary.cast(pa.string()), encoded.indices


def _bitmap(known: npt.NDArray[np.bool_]) -> pa.Buffer:
    return pa.py_buffer(np.packbits(known, bitorder="little"))


def _string_bytes(texts: pa.Array) -> tuple[_Bytes, npt.NDArray[np.int32]]:
    """The bytes of all strings end to end, and where each starts and the last ends."""
    _, offsets, data = texts.buffers()
    ends = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    letters = np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)
    return letters, ends


def _pack_v4(texts: pa.Array, packed: _Bytes, known: npt.NDArray[np.bool_]) -> None:
    """Fill in the rows that are dotted quads: four decimal numbers to 255 without leading zeros."""
    letters, ends = _string_bytes(texts)
    for first in range(0, len(texts), _PIECE):
        some = ends[first : first + _PIECE + 1]
        piece = letters[some[0] : some[-1]]
        rows, octets = _quads(piece, (some - some[0]).astype(np.int64))
        rows += first
        packed[rows, 10:12] = 0xFF
        packed[rows, 12:] = octets
        known[rows] = True


def _quads(
    letters: _Bytes, ends: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Which rows are dotted quads, and their four numbers."""
    dots = np.flatnonzero(letters == ord("."))
    before = np.searchsorted(dots, ends)
    rows = np.flatnonzero(np.diff(before) == _DOTS_IN_V4)
    inner = dots[before[rows][:, None] + np.arange(_DOTS_IN_V4)]
    starts = np.column_stack([ends[rows], inner + 1])
    stops = np.column_stack([inner, ends[rows + 1]])
    digits = np.concatenate((_PADDING, _DIGIT[letters]))
    octets, good = _octets(digits, starts, stops)
    return rows[good], octets[good]


def _octets(
    digits: npt.NDArray[np.int16], starts: npt.NDArray[np.int64], stops: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """The numbers between `starts` and `stops` (four to a row), and which rows are sound.

    `digits` stand three places behind, so that three may be read before any stop.
    """
    width = np.minimum(stops - starts, len(_LEAST) - 1)
    value = np.zeros(starts.shape, np.int32)
    for place, weight in enumerate((1, 10, 100)):
        value += digits[stops + 2 - place] * np.int32(weight) * (width > place)
    sound = (value <= np.iinfo(np.uint8).max) & (value >= _LEAST[width])
    rows: npt.NDArray[np.bool_] = np.logical_and.reduce(sound, axis=1)
    return value.astype(np.uint8), rows


def _pack_v6(
    texts: pa.Array, packed: _Bytes, known: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Fill in the rows that hold a colon and are IPv6; which of them are to be written anew."""
    rewrite = np.zeros(len(texts), bool)
    rows = np.flatnonzero(pc.fill_null(pc.match_substring(texts, ":"), False).to_numpy(False))
    if len(rows):
        some = texts.take(pa.array(rows))
        letters, ends = _string_bytes(some)
        found = read_v6(some, letters, ends.astype(np.int64))
        rows, packed_rows = rows[found.known], found.packed[found.known]
        packed[rows] = packed_rows
        known[rows] = True
        rewrite[rows] = ~found.canonical[found.known]
    return rewrite


def _canonical(texts: pa.Array, packed: pa.Array, rewrite: npt.NDArray[np.bool_]) -> pa.Array:
    """Text per RFC 5952: a strict dotted quad is canonical already, and so is most IPv6."""
    canonical = texts
    if packed.null_count:
        canonical = pc.if_else(pc.is_valid(packed), texts, pa.scalar(None, pa.string()))
    if not rewrite.any():
        return canonical
    mask = pc.and_(pa.array(rewrite), pc.is_valid(packed))
    written = [_v6_text(value) for value in packed.filter(mask).to_pylist()]
    return pc.replace_with_mask(canonical, mask, pa.array(written, pa.string()))


def _v6_text(packed: bytes) -> str:
    if packed.startswith(_MAPPED):
        return socket.inet_ntop(socket.AF_INET, packed[12:])
    if packed.startswith(bytes(12)):  # the C library writes these in mixed notation
        return ipaddress.IPv6Address(packed).compressed
    return socket.inet_ntop(socket.AF_INET6, packed)


def _to_ascii(names: pa.Array) -> pa.Array:
    """Names with non-ASCII letters as A-labels, NULL where there is no such form."""
    foreign = pc.fill_null(pc.invert(pc.string_is_ascii(names)), False)
    written = [_a_labels(name) for name in names.filter(foreign).to_pylist()]
    return pc.replace_with_mask(names, foreign, pa.array(written, pa.string()))


def _a_labels(name: str) -> str | None:
    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except idna.IDNAError:
        return None
