"""Match tables kept on disk, so that a worker starts in milliseconds.

One file per version of the constituency, written aside and renamed, so a reader sees all of it or
none. Its digest stands at its head: a file that does not agree is thrown away and built anew.
"""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from muhafiz.constituency.matching.tables import MatchTables

#: Raised when the layout changes, so that an older file is not misread.
_LAYOUT = b"muhafiz-match-1\n"
_ARRAYS = (
    "v4_bounds", "v4_rows", "v6_high", "v6_low", "v6_rows", "domain_rows", "asns", "asn_rows",
    "following", "first_day", "last_day",
)  # fmt: skip
_KEPT_FILES = 2
_DIGEST_BYTES = 32


class SpoiledTables(Exception):  # noqa: N818 - named for what it is, never shown to a person
    """A file of match tables that was cut short, altered or written by another version."""


def tables_path(folder: Path, token: str) -> Path:
    """Where the tables of a version are kept."""
    return folder / f"{token}.match"


def keep_tables(folder: Path, tables: MatchTables) -> None:
    """Write the tables and let go of older versions.

    Raises:
        OSError: the disk is full or not writable; the tables themselves are none the worse.
    """
    folder.mkdir(parents=True, exist_ok=True)
    body = _encode(tables)
    beside = folder / f".{tables.token}.{os.getpid()}"
    try:
        with beside.open("wb") as file:
            file.write(_LAYOUT + hashlib.sha256(body).digest() + body)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(tables_path(folder, tables.token))
    finally:
        beside.unlink(missing_ok=True)
    _let_go(folder)


def kept_tables(folder: Path, token: str) -> MatchTables | None:
    """The tables of a version as they were kept; None when they never were.

    Raises:
        SpoiledTables: the file is not what was written.
    """
    try:
        content = tables_path(folder, token).read_bytes()
    except FileNotFoundError:
        return None
    head = len(_LAYOUT) + _DIGEST_BYTES
    body = memoryview(content)[head:]
    if content[:head] != _LAYOUT + hashlib.sha256(body).digest():
        raise SpoiledTables
    return _decode(body, token)


def _encode(tables: MatchTables) -> bytes:
    """Arrays one after the other in NumPy's format, then the texts as an Arrow stream."""
    stream = io.BytesIO()
    for name in _ARRAYS:
        np.lib.format.write_array(stream, getattr(tables, name), allow_pickle=False)
    names = pa.table({"name": tables.domains})
    for table in (names, tables.facts.combine_chunks()):
        with pa.ipc.new_stream(stream, table.schema) as writer:
            writer.write_table(table)
    return stream.getvalue()


def _decode(body: memoryview, token: str) -> MatchTables:
    stream = io.BytesIO(body)
    arrays = {name: np.lib.format.read_array(stream, allow_pickle=False) for name in _ARRAYS}
    texts = pa.BufferReader(pa.py_buffer(body[stream.tell() :]))
    names = pa.ipc.open_stream(texts).read_all()["name"].combine_chunks()
    facts = pa.ipc.open_stream(texts).read_all().combine_chunks()
    longest = 1 + pc.max(pc.count_substring(names, ".")).as_py() if len(names) else 0
    return MatchTables(token=token, domains=names, domain_labels=longest, facts=facts, **arrays)


def _let_go(folder: Path) -> None:
    files = sorted(folder.glob("*.match"), key=lambda path: path.stat().st_mtime_ns)
    for path in files[:-_KEPT_FILES]:
        path.unlink(missing_ok=True)
