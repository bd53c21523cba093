"""The drop folder: files laid there are taken in once they are whole.

`drop/file` belongs to the feed that recognizes it, `drop/<feed>/file` to that feed. A file is whole
when it has not changed for `SETTLE_SECONDS` and its name is not that of a transfer under way. Once
its report is acknowledged it is moved to `drop/done/`; what is refused for good goes to
`drop/failed/` with the reason beside it. A crash in between delivers it again, which is recognized.
A file that cannot be read or moved holds no other up: it stays, and the log says so.
"""

from __future__ import annotations

import errno
import logging
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, cast

from muhafiz.common.actor import Actor
from muhafiz.feeds.actions.intake import KeptReport, keep_report
from muhafiz.feeds.rules import UnknownFeed

_LOG = logging.getLogger(__name__)
SETTLE_SECONDS = 10
_NAME_BYTES = 200  # of a name in done/ and failed/: room is left for a number and an ending
_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})  # the machine's fault, not a file's
_DONE, _FAILED = "done", "failed"
_UNDER_WAY = (".part", ".partial", ".tmp", ".filepart", ".crdownload", ".writing")


class _StillWritten(Exception):  # noqa: N818 - not an error: the file is left for the next look
    """The file grew while it was read."""


@dataclass(frozen=True, slots=True)
class DropTaken:
    """What one look at the drop folder brought."""

    taken: int
    duplicates: int
    failed: int
    waiting: int  # not yet whole


def ingest_file(
    *, path: Path, feed: str | None, actor: Actor, now: datetime, door: str = "command"
) -> KeptReport:
    """Keep one file as a report; the file itself stays where it is.

    Raises:
        OSError: it cannot be read.
        UnknownFeed, DiskNearlyFull: as `keep_report`.
    """
    with path.open("rb") as raw:
        return keep_report(
            feed=feed,
            file_name=path.name,
            raw=raw,
            received_at=now,
            actor=actor,
            now=now,
            door=door,
        )


def take_drop_folder(
    *,
    folder: Path,
    actor: Actor,
    now: datetime,
    tick: Callable[[int, str], None] = lambda _done, _note: None,
) -> DropTaken:
    """Keep every whole file of the drop folder; `tick(count, name)` is called after each.

    Raises:
        DiskNearlyFull, OSError: the machine failed; files not yet taken stay where they are.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    counts = {"taken": 0, "duplicates": 0, "failed": 0, "waiting": 0}
    for number, (path, feed) in enumerate(sorted(_laid_down(folder)), 1):
        counts[_take(folder, path, feed or None, actor=actor, now=now)] += 1
        tick(number, _shown(path.name))
    return DropTaken(**counts)


def _take(folder: Path, path: Path, feed: str | None, *, actor: Actor, now: datetime) -> str:
    try:
        return _taken(folder, path, feed, actor=actor, now=now)
    except (_StillWritten, FileNotFoundError):  # or another worker took it
        return "waiting"
    except OSError as error:
        if error.errno in _DISK:
            raise
        _LOG.warning("%s stays in the drop folder: %s", _shown(path.name), error.strerror)
        return "waiting"


def _taken(folder: Path, path: Path, feed: str | None, *, actor: Actor, now: datetime) -> str:
    try:
        kept = _keep_when_whole(path, feed, actor=actor, now=now)
    except (PermissionError, UnknownFeed) as error:
        _move(path, folder / _FAILED, now, reason=str(error))
        return "failed"
    _move(path, folder / _DONE, now)
    return "duplicates" if kept.duplicate else "taken"


def _shown(name: str) -> str:
    """A name as text: what of its bytes is no UTF-8 becomes U+FFFD."""
    return os.fsencode(name).decode("utf-8", "replace")


def _laid_down(folder: Path) -> Iterator[tuple[Path, str]]:
    for entry in folder.iterdir():
        if entry.name in {_DONE, _FAILED} or entry.name.startswith("."):
            continue
        if entry.is_symlink():
            continue
        if entry.is_dir():
            yield from ((path, _shown(entry.name)) for path in _within(entry))
        elif _is_candidate(entry):
            yield entry, ""


def _within(folder: Path) -> list[Path]:
    """A feed's files; none, with a line in the log, where the folder cannot be read."""
    try:
        return [path for path in folder.iterdir() if _is_candidate(path)]
    except PermissionError as error:
        _LOG.warning(
            "%s in the drop folder is passed over: %s", _shown(folder.name), error.strerror
        )
        return []


def _is_candidate(path: Path) -> bool:
    under_way = path.name.startswith((".", "~")) or path.name.lower().endswith(_UNDER_WAY)
    return not under_way and not path.is_symlink() and path.is_file()


def _keep_when_whole(path: Path, feed: str | None, *, actor: Actor, now: datetime) -> KeptReport:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        before = os.fstat(file.fileno())
        if not stat.S_ISREG(before.st_mode) or _age(before, now) < SETTLE_SECONDS:
            raise _StillWritten
        return keep_report(
            feed=feed,
            file_name=path.name,
            raw=cast("BinaryIO", _Unchanging(file, before)),
            received_at=now,
            actor=actor,
            now=now,
            door="drop",
        )


def _age(found: os.stat_result, now: datetime) -> float:
    """Seconds since the last change; a clock set back must not hold files up for days."""
    return abs(now.timestamp() - found.st_mtime)


class _Unchanging:
    """Reads a file and makes sure, at its end, that nobody wrote to it meanwhile."""

    def __init__(self, file: BinaryIO, before: os.stat_result) -> None:
        self._file = file
        self._before = (before.st_size, before.st_mtime_ns)

    def read(self, size: int = -1) -> bytes:
        chunk = self._file.read(size)
        if not chunk or size < 0:
            found = os.fstat(self._file.fileno())
            if (found.st_size, found.st_mtime_ns) != self._before:
                raise _StillWritten
        return chunk


def _move(path: Path, folder: Path, now: datetime, reason: str = "") -> None:
    target = folder / f"{now:%Y-%m-%d}"
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = os.fsdecode(os.fsencode(path.name)[-_NAME_BYTES:])  # its end tells what it is
    place, number = target / name, 1
    while place.exists():
        place, number = target / f"{number}-{name}", number + 1
    if reason:
        told = place.with_name(f"{place.name}.reason.txt")
        told.write_text(f"{reason}\n", encoding="utf-8", errors="replace")
    path.rename(place)
