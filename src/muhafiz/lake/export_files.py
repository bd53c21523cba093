"""Events as a file, block by block: CSV that no spreadsheet runs, JSON Lines, Parquet.

A file is written aside, flushed to the disk, then renamed; its name is random. Cells are live
values. JSON leaves out what is NULL.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.conf import settings

from muhafiz.common.identifiers import new_id
from muhafiz.formats.csv_cells import safe_cell
from muhafiz.formats.events import STORED
from muhafiz.lake.refusals import DiskNearlyFull
from muhafiz.lake.storage import sync_folder

ASIDE = ".part"
_PLAIN = r"^[A-Za-z0-9{\[/:(]"  # what begins so is taken for no formula
_QUOTED = r'[",\r\n]'
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class Finished:
    """A whole file: its random name, its SHA-256 in hex, its size."""

    name: str
    digest: str
    size_bytes: int


def exports_folder() -> Path:
    """Where exports lie: readable by the platform's own account only."""
    folder = Path(settings.EXPORTS)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def check_space() -> None:
    """Refuse when too little of the disk is free.

    Raises:
        DiskNearlyFull: less than MUHAFIZ_FREE_DISK_PERCENT is.
    """
    folder = exports_folder()
    usage = shutil.disk_usage(folder)
    if usage.free * 100 < usage.total * settings.FREE_DISK_PERCENT:
        raise DiskNearlyFull(
            folder=folder,
            free_percent=usage.free * 100 // max(usage.total, 1),
            needed_percent=settings.FREE_DISK_PERCENT,
        )


class ExportFile:
    """A file being written: `with` it, `write` blocks, `finish`. Left unfinished it is removed."""

    def __init__(self, format_name: str, columns: Sequence[str]) -> None:
        self._format, self._columns = format_name, list(columns)
        self._name = new_id().hex
        self._path = exports_folder() / self._name
        self._aside = self._path.with_suffix(ASIDE)
        self._stream: BinaryIO = self._aside.open("xb")
        self._aside.chmod(0o600)
        self._parquet: Any = None
        self._begun = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close, and remove what was not finished."""
        with contextlib.suppress(OSError):
            self._stream.close()
        self._aside.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskNearlyFull(
                folder=self._path.parent,
                free_percent=0,
                needed_percent=settings.FREE_DISK_PERCENT,
            ) from error

    def write(self, events: pa.Table) -> None:
        """Add events (columns of `events.STORED`).

        Raises:
            DiskNearlyFull: before the disk is full.
        """
        check_space()
        block = events.select(self._columns)
        if self._format == "parquet":
            self._write_parquet(block)
        elif self._format == "jsonl":
            self._stream.write(_json_lines(block))
        else:
            self._stream.write((b"" if self._begun else self._header()) + _csv_lines(block))
        self._begun = True

    def finish(self) -> Finished:
        """Give the file its name; it is on the disk, name included, when this returns."""
        if self._format == "csv" and not self._begun:
            self._stream.write(self._header())
        if self._format == "parquet":
            if not self._begun:
                self._write_parquet(STORED.empty_table().select(self._columns))
            self._parquet.close()
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()
        with self._aside.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        self._aside.rename(self._path)
        sync_folder(self._path.parent)
        return Finished(self._name, digest, self._path.stat().st_size)

    def _header(self) -> bytes:
        return (",".join(self._columns) + "\r\n").encode()

    def _write_parquet(self, block: pa.Table) -> None:
        if self._parquet is None:
            self._parquet = pq.ParquetWriter(self._stream, block.schema, compression="zstd")
        self._parquet.write_table(block, row_group_size=100_000)


def remove_file(name: str) -> None:
    """Delete a finished file; one already gone counts as deleted."""
    if name:
        (exports_folder() / name).unlink(missing_ok=True)


def _json_lines(block: pa.Table) -> bytes:
    rows = ({k: v for k, v in row.items() if v is not None} for row in block.to_pylist())
    return b"".join(orjson.dumps(row, option=_JSON) for row in rows)


_JSON = orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z


def _csv_lines(block: pa.Table) -> bytes:
    """A column at a time: only cells that need quotes or an apostrophe go through Python."""
    cells = [_cells(block.column(name).combine_chunks()) for name in block.column_names]
    if not block.num_rows:
        return b""
    if len(cells) == 1:
        joined = pc.coalesce(cells[0], pa.scalar("", pa.large_string()))
    else:
        joined = pc.binary_join_element_wise(
            *cells, pa.scalar(",", pa.large_string()),
            null_handling="replace", null_replacement="",
        )  # fmt: skip
    ended = pc.binary_join_element_wise(
        joined, pa.scalar("\r\n", pa.large_string()), pa.scalar("", pa.large_string())
    )
    whole = ended.combine_chunks() if isinstance(ended, pa.ChunkedArray) else ended
    offsets, data = whole.buffers()[1:]
    places = memoryview(offsets).cast("q")
    return bytes(memoryview(data)[places[whole.offset] : places[whole.offset + len(whole)]])


def _cells(values: Any) -> Any:
    if isinstance(values, pa.ChunkedArray):
        values = pa.concat_arrays(values.chunks)
    if pa.types.is_timestamp(values.type):
        return pc.strftime(values, format=_MOMENT).cast(pa.large_string())
    texts = values.cast(pa.large_string())
    if not pa.types.is_string(values.type):
        return texts
    odd = pc.fill_null(
        pc.or_(
            pc.invert(pc.match_substring_regex(texts, _PLAIN)),
            pc.match_substring_regex(texts, _QUOTED),
        ),
        fill_value=False,
    )
    if not pc.any(odd).as_py():
        return texts
    safe = [_cell(text) for text in texts.filter(odd).to_pylist()]
    return pc.replace_with_mask(texts, odd, pa.array(safe, pa.large_string()))


def _cell(text: str) -> str:
    """One cell as RFC 4180 quotes it, after it was made harmless."""
    safe = safe_cell(text)
    if any(sign in safe for sign in '",\r\n'):
        return '"' + safe.replace('"', '""') + '"'
    return safe
