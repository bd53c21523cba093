"""Files of rows as they go with a letter: as they are, or packed when they are large. Pure.

Mail systems refuse what is too large, and the larger an owner, the more of its rows. So what is
larger than `PLAIN_BYTES` or `most` is packed (ZIP), and a pack that grows to `most` bytes ends
there: the letter says how many rows are in it. Pieces are taken one after the other, so memory does
not grow with the rows.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

#: What mail carries without a second thought; base64 makes a third more of it.
PLAIN_BYTES: Final = 4 * 2**20
#: The largest pack, unless the rulebook says otherwise: 10 MiB as mail, which most systems take.
MOST_BYTES: Final = 7 * 2**20
_MOMENT: Final = (1980, 1, 1, 0, 0, 0)  # the same rows make the same bytes

#: Rows, and their text.
Piece = tuple[int, bytes]


@dataclass(frozen=True, slots=True)
class Bundle:
    """A file of rows. `digest` is the SHA-256 of the rows' own file, packed or not."""

    content: bytes
    digest: str
    rows: int
    packed: bool


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands before, between and after the pieces, and what the file is called in a pack."""

    name: str
    head: bytes = b""
    between: bytes = b""
    tail: bytes = b""


def bundled(pieces: Iterable[Piece], frame: Frame, *, most: int = MOST_BYTES) -> Bundle:
    """The file that the pieces make, or the beginning of it that a pack of `most` bytes holds.

    At least one piece is in it, however large.
    """
    digest = hashlib.sha256()
    stream = iter(pieces)
    taken = [frame.head]
    rows, size = 0, len(frame.head)
    for count, text in stream:
        taken.append(frame.between + text if rows else text)
        rows += count
        size += len(taken[-1])
        if size > min(PLAIN_BYTES, most):
            break
    else:
        content = b"".join((*taken, frame.tail))
        return Bundle(content, hashlib.sha256(content).hexdigest(), rows, packed=False)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as pack:
        entry = zipfile.ZipInfo(frame.name, _MOMENT)
        entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
        with pack.open(entry, "w", force_zip64=True) as file:
            for text in taken:
                digest.update(text)
                file.write(text)
            for count, text in _until_full(stream, buffer, most):
                digest.update(frame.between + text)
                file.write(frame.between + text)
                rows += count
            digest.update(frame.tail)
            file.write(frame.tail)
    return Bundle(buffer.getvalue(), digest.hexdigest(), rows, packed=True)


def _until_full(stream: Iterator[Piece], buffer: io.BytesIO, most: int) -> Iterator[Piece]:
    """The pieces for as long as the pack has room."""
    while buffer.tell() < most:
        piece = next(stream, None)
        if piece is None:
            return
        yield piece
