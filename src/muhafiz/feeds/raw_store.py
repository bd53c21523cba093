"""Raw bytes of reports as they came: one compressed file per content, named by its SHA-256.

`<folder>/ab/cd/<sha256>.zst`. A file is written aside, flushed to the disk, renamed, and the
folder flushed, before any row tells of it: what is acknowledged is on the disk. A crash leaves at
most a file aside or a file nobody tells of; a job removes both after a day.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa
import zstandard

from muhafiz.feeds.rules import DiskNearlyFull, RawMissing
from muhafiz.tenancy.current import refuse_under_tenant

_CHUNK = 4 << 20
_LEVEL = 1  # reports are text: level 1 gives most of the gain at the disk's speed
_THREADS = 2
_ASIDE = ".aside-"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_PERCENT = 100


@dataclass(frozen=True, slots=True)
class RawFile:
    """What was kept: the digest of the bytes as delivered and how many they were."""

    sha256: str
    size: int


class RawStore:
    """The folder of raw reports. Any number of processes may write and read at once."""

    def __init__(self, folder: Path, *, free_percent: int) -> None:
        """Keep raw bytes in `folder` while `free_percent` of its disk stay free."""
        self.folder = folder
        self._free_percent = free_percent

    def check_space(self) -> None:
        """There is room to take anything in.

        Raises:
            DiskNearlyFull: less than the set share of the disk is free.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        usage = shutil.disk_usage(self.folder)
        free = usage.free * _PERCENT / usage.total
        if free < self._free_percent:
            raise DiskNearlyFull(free=f"{free:.1f}", needed=self._free_percent)

    def keep(self, raw: BinaryIO | bytes) -> RawFile:
        """Write `raw` (read from where it stands to its end) so that it survives a power cut.

        Raises:
            DiskNearlyFull: before or while writing; nothing stays behind.
            OSError: the disk failed; nothing stays behind.
        """
        self.check_space()
        stream = io.BytesIO(raw) if isinstance(raw, bytes) else raw
        handle, aside = tempfile.mkstemp(prefix=_ASIDE, dir=self.folder)
        try:
            with os.fdopen(handle, "wb") as out:
                kept = self._compress(stream, out)
                out.flush()
                os.fsync(out.fileno())
            self._settle(Path(aside), kept.sha256)
        except BaseException as error:
            Path(aside).unlink(missing_ok=True)
            if isinstance(error, OSError) and error.errno in _FULL:
                raise DiskNearlyFull(free="0.0", needed=self._free_percent) from error
            raise
        return kept

    def path(self, sha256: str) -> Path:
        """Where the bytes of this digest are, or would be."""
        return self.folder / sha256[:2] / sha256[2:4] / f"{sha256}.zst"

    @contextmanager
    def opened(self, sha256: str) -> Iterator[BinaryIO]:
        """The bytes as delivered, as a stream that cannot be rewound.

        Reading it raises OSError when the kept file is damaged or cut short.

        Raises:
            NotAllowedToConstituents: a tenant asks; a report speaks of everybody.
            RawMissing: they are no longer kept.
        """
        refuse_under_tenant()
        try:
            file = pa.OSFile(str(self.path(sha256)), "rb")
        except FileNotFoundError:
            raise RawMissing(digest=sha256) from None
        with file, pa.CompressedInputStream(file, "zstd") as stream:
            yield cast("BinaryIO", stream)

    @contextmanager
    def opened_seekable(self, sha256: str) -> Iterator[BinaryIO]:
        """As `opened`, copied to a nameless file beside the store, so that it can be rewound."""
        with self.opened(sha256) as stream, tempfile.TemporaryFile(dir=self.folder) as copy:
            shutil.copyfileobj(stream, copy, _CHUNK)
            copy.seek(0)
            yield cast("BinaryIO", copy)

    def remove(self, sha256: str) -> bool:
        """Remove the bytes; whether there were any."""
        try:
            self.path(sha256).unlink()
        except FileNotFoundError:
            return False
        return True

    def leftovers(self, *, older_than: float, known: Callable[[str], bool]) -> Iterator[Path]:
        """Files last written before `older_than` (seconds since 1970) that nobody tells of."""
        for path in self.folder.rglob("*"):
            aside = path.name.startswith(_ASIDE)
            if not aside and path.suffix != ".zst":
                continue
            if path.stat().st_mtime < older_than and (aside or not known(path.stem)):
                yield path

    def _compress(self, stream: BinaryIO, out: BinaryIO) -> RawFile:
        """Digest in a thread beside those that compress; all free the interpreter."""
        digest = hashlib.sha256()
        size = 0
        compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True, threads=_THREADS)
        writer = compressor.stream_writer(out, closefd=False)
        with ThreadPoolExecutor(1) as beside, writer:
            while chunk := stream.read(_CHUNK):
                digesting = beside.submit(digest.update, chunk)
                writer.write(chunk)
                digesting.result()
                size += len(chunk)
                self._check_space_while(size)
        return RawFile(digest.hexdigest(), size)

    def _check_space_while(self, size: int) -> None:
        if size % (16 * _CHUNK) == 0:
            self.check_space()

    def _settle(self, aside: Path, sha256: str) -> None:
        final = self.path(sha256)
        final.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        aside.replace(final)
        for folder in (final.parent, final.parent.parent, self.folder):
            _flush_folder(folder)


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
