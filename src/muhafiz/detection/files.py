"""Detection's Parquet files: written aside, synced, then named; read by digest-bearing rows.

They stand beside the reports, in `notices/`, one folder per month. A file without a committed row
is an orphan of a crash; `detection.jobs:tidy_notice_files` removes it after a day.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from django.conf import settings

from muhafiz.common.identifiers import new_id
from muhafiz.tenancy.current import refuse_under_tenant

ROW_GROUP = 20_000


@dataclass(frozen=True, slots=True)
class Written:
    """A finished file: path relative to the folder, SHA-256 in hex, rows."""

    path: str
    digest: str
    rows: int


def folder() -> Path:
    """Where the files stand."""
    return Path(settings.REPORTS).parent / "notices"


def located(path: str) -> Path:
    """The file of a row's relative `path`; pools, plans and told files hold everybody's rows.

    Raises:
        NotAllowedToConstituents: a tenant asks; its letters' own bytes are in the outbox.
    """
    refuse_under_tenant()
    return folder() / path


class Writer:
    """Writes one file table by table; `finish` makes it durable and names it."""

    def __init__(self, kind: str, schema: pa.Schema, now: datetime, root: Path | None = None):
        self._root = root or folder()
        self._path = f"{now:%Y-%m}/{kind}-{new_id().hex}.parquet"
        self._final = self._root / self._path
        self._aside = self._final.with_name(f".{self._final.name}.part")
        self._final.parent.mkdir(parents=True, exist_ok=True)
        self._writer = pq.ParquetWriter(self._aside, schema, compression="zstd")
        self._schema = schema
        self._rows = 0

    def write(self, table: pa.Table) -> None:
        """Add rows; columns are brought into the schema's order and types."""
        ordered = table.select(self._schema.names).cast(self._schema)
        self._writer.write_table(ordered, row_group_size=ROW_GROUP)
        self._rows += table.num_rows

    def finish(self) -> Written:
        """Sync the file and its folder and give it its name."""
        self._writer.close()
        with self._aside.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            os.fsync(stream.fileno())
        self._aside.rename(self._final)
        handle = os.open(self._final.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        return Written(self._path, digest, self._rows)

    def abandon(self) -> None:
        """Remove what was written so far."""
        self._writer.close()
        self._aside.unlink(missing_ok=True)


@contextmanager
def writing(
    kind: str, schema: pa.Schema, now: datetime, root: Path | None = None
) -> Iterator[Writer]:
    """A writer that leaves nothing behind when the work fails."""
    writer = Writer(kind, schema, now, root)
    try:
        yield writer
    except BaseException:
        writer.abandon()
        raise


def write_table(
    kind: str, table: pa.Table, schema: pa.Schema, now: datetime, root: Path | None = None
) -> Written:
    """One whole table as a file."""
    with writing(kind, schema, now, root) as writer:
        writer.write(table)
        return writer.finish()


def unknown_files(known: Iterable[str], before: datetime) -> list[Path]:
    """Files last changed before a moment that no row knows."""
    kept = set(known)
    root = folder()
    return [
        path
        for path in root.glob("*/*")
        if path.is_file()
        and str(path.relative_to(root)) not in kept
        and path.stat().st_mtime < before.timestamp()
    ]
