"""Files of the lake: written aside, flushed to the disk, then renamed; never changed."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
from django.conf import settings

from muhafiz.common.identifiers import new_id
from muhafiz.lake.refusals import DiskNearlyFull

SUFFIX = ".parquet"
_ASIDE = ".part"


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file that no row names yet."""

    path: str  # relative to the lake's folder
    digest: str  # SHA-256, hexadecimal
    size_bytes: int


def lake_folder() -> Path:
    """Where segments lie."""
    return Path(settings.LAKE)


def whole_path(path: str) -> Path:
    """The file of a segment's relative path."""
    return lake_folder() / path


def check_free_disk() -> None:
    """Raise unless enough of the disk is free.

    Raises:
        DiskNearlyFull: less than MUHAFIZ_FREE_DISK_PERCENT is.
    """
    folder = lake_folder()
    folder.mkdir(parents=True, exist_ok=True)
    usage = shutil.disk_usage(folder)
    if usage.free * 100 < usage.total * settings.FREE_DISK_PERCENT:
        raise _nearly_full(folder)


def write_file(day: date, content: bytes | pa.Buffer) -> WrittenFile:
    """Keep `content` as a new file of `day`; on the disk, name included, when this returns.

    Raises:
        DiskNearlyFull: the disk has no room; nothing is left behind.
    """
    relative = f"{day:%Y/%m/%d}/{new_id().hex}{SUFFIX}"
    path = whole_path(relative)
    aside = path.with_suffix(_ASIDE)
    try:
        _make_folder(path.parent)
        with aside.open("xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        aside.rename(path)
        sync_folder(path.parent)
    except OSError as wrong:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)
        if wrong.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise _nearly_full(lake_folder()) from wrong
        raise
    return WrittenFile(relative, hashlib.sha256(content).hexdigest(), len(content))


def remove_files(paths: list[str]) -> int:
    """Delete files (those already gone count as deleted) and the folders left empty."""
    for path in paths:
        whole_path(path).unlink(missing_ok=True)
    for folder in sorted({whole_path(path).parent for path in paths}):
        for empty in (folder, folder.parent, folder.parent.parent):
            with contextlib.suppress(OSError):  # not empty: others live there
                empty.rmdir()
    return len(paths)


def file_digest(path: str) -> str:
    """SHA-256 of a file as it lies on the disk, hexadecimal."""
    with whole_path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def files_on_disk() -> dict[str, float]:
    """Relative path of every file of the lake, finished or aside → time of its last change."""
    folder = lake_folder()
    found: dict[str, float] = {}
    for path in folder.rglob("*"):
        if path.suffix not in {SUFFIX, _ASIDE}:
            continue
        with contextlib.suppress(FileNotFoundError):  # renamed or removed while we look
            found[path.relative_to(folder).as_posix()] = path.stat().st_mtime
    return found


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _make_folder(folder: Path) -> None:
    """Make the folder and those above it, each entry flushed."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def _nearly_full(folder: Path) -> DiskNearlyFull:
    usage = shutil.disk_usage(folder)
    return DiskNearlyFull(
        folder=folder,
        free_percent=usage.free * 100 // max(usage.total, 1),
        needed_percent=settings.FREE_DISK_PERCENT,
    )
