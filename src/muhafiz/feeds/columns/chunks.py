"""A report's bytes as UTF-8, piece by piece, whatever byte order mark it begins with."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK_BYTES = 4 * 1024 * 1024
_SAMPLE_BYTES, _LEAST_BYTES = 64, 8
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, None),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def utf8_chunks(stream: BinaryIO) -> Iterator[bytes]:
    """Pieces of at most a few MiB, in UTF-8, without the byte order mark, line ends as LF.

    UTF-16 and UTF-32 are told by their mark, UTF-16 also by its zeros, and turned into UTF-8
    (broken units become U+FFFD). Other bytes pass as they are: their rows are checked one by one
    later. A report whose first line ends in a bare CR is taken to use CR throughout.
    """
    first = _read(stream)
    mark, name = _encoding(first)
    rest = _transcoded(first[len(mark) :], stream, name)
    first = next(rest, b"")
    old_mac = _ends_lines_with_cr(first)
    yield first.replace(b"\r", b"\n") if old_mac else first
    for chunk in rest:
        yield chunk.replace(b"\r", b"\n") if old_mac else chunk


def decode_head(head: bytes) -> bytes:
    """A report's first bytes as UTF-8, as `utf8_chunks` would give them."""
    mark, name = _encoding(head)
    head = head[len(mark) :]
    if name is not None:
        head = head.decode(name, "replace").encode()
    return head.replace(b"\r", b"\n") if _ends_lines_with_cr(head) else head


def _encoding(head: bytes) -> tuple[bytes, str | None]:
    """The mark that a report begins with, and its encoding where that is not UTF-8.

    Without a mark, text whose every second byte is zero is UTF-16.
    """
    for mark, name in _MARKS:
        if head.startswith(mark):
            return mark, name
    sample = head[: _SAMPLE_BYTES - _SAMPLE_BYTES % 2]
    first, second = sample[0::2], sample[1::2]
    if len(sample) >= _LEAST_BYTES and 0 in sample:
        if not any(second) and all(first):
            return b"", "utf-16-le"
        if not any(first) and all(second):
            return b"", "utf-16-be"
    return b"", None


def decode_row(raw: bytes) -> str | None:
    """A row's text: UTF-8, else Windows-1252, else (five bytes are undefined there) None."""
    for name in ("utf-8", "cp1252"):
        try:
            return raw.decode(name)
        except UnicodeDecodeError:
            continue
    return None


def _transcoded(first: bytes, stream: BinaryIO, name: str | None) -> Iterator[bytes]:
    if name is None:
        chunk = first
        while chunk:
            yield chunk
            chunk = _read(stream)
        return
    decoder = codecs.getincrementaldecoder(name)("replace")
    chunk = first
    while chunk:
        yield decoder.decode(chunk).encode("utf-8", "replace")
        chunk = _read(stream)
    yield decoder.decode(b"", final=True).encode("utf-8", "replace")


def _read(stream: BinaryIO) -> bytes:
    """A full chunk, however little the stream gives at a time; short only at the end."""
    piece = stream.read(CHUNK_BYTES) or b""
    if len(piece) == CHUNK_BYTES or not piece:
        return piece
    pieces, size = [piece], len(piece)
    while size < CHUNK_BYTES and (piece := stream.read(CHUNK_BYTES - size) or b""):
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)


def _ends_lines_with_cr(head: bytes) -> bool:
    at = head.find(b"\r")
    line_feed = head.find(b"\n")
    return at >= 0 and (line_feed < 0 or at < line_feed - 1) and at + 1 < len(head)
