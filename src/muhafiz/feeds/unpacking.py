"""Opens what reports come packed in: zip, gzip and Zstandard, at most two deep, and tar once.

What a stream is, its first bytes tell, never its name; what cannot be read (a spreadsheet, other
archives) is refused by what it is. Of a member's path only the base name is used; links, folders
and what an operating system leaves in archives are passed over.

Limits are kept while streaming, so a bomb costs its limit and not its size. An archive is walked
once to its end by `inspect` before its first row is read: it is taken whole or refused whole, and a
refused one stays kept as it came.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PureWindowsPath
from typing import IO, BinaryIO, ClassVar, TypeAlias, cast

import pyarrow as pa

from muhafiz.common.refusal import Refusal
from muhafiz.feeds.magic import HEAD_BYTES, foreign, is_office, is_rubbish, packing

_CHUNK = 1 << 20
_ENDINGS = (".tgz", ".gz", ".zst", ".zip", ".tar")
_DAMAGES = (OSError, EOFError, zlib.error, zipfile.BadZipFile, tarfile.TarError)
_ENCRYPTED = 0x1
_TAR_HEADERS = 1 << 20  # bytes before one member's content
_TAR_ENTRIES = 100_000  # folders and links among them
_Buffered: TypeAlias = io.BufferedReader


class CannotUnpack(Refusal):
    """A packed report that is refused whole; its raw bytes stay kept."""

    reason: ClassVar[str] = "cannot-unpack"


class ArchiveDamaged(CannotUnpack):
    """Its structure, a checksum or its end is wrong."""

    reason = "archive-damaged"
    text = "“{name}” is damaged: {detail}."


class ArchiveEncrypted(CannotUnpack):
    """It needs a password."""

    reason = "archive-encrypted"
    text = "“{name}” is encrypted. Ask the sender for it without a password."


class ArchiveTooLarge(CannotUnpack):
    """It unpacks to more than the limits allow: a bomb, or a limit set too low."""

    reason = "archive-too-large"
    text = "“{name}” unpacks to more than {limit}."


class ForeignFormat(CannotUnpack):
    """It is nothing that rows could be read from."""

    reason = "foreign-format"
    text = "“{name}” is {kind}, which is not read. Ask the sender for text, as it is, zip or gzip."


class ArchiveTooDeep(CannotUnpack):
    """An archive in an archive in an archive."""

    reason = "archive-too-deep"
    text = "“{name}” is packed more than {depth} times over."


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one report may unpack to."""

    total_bytes: int = 64 << 30  # over all members
    ratio: int = 400  # unpacked to delivered bytes, over all members; checked past `ratio_from`
    ratio_from: int = 64 << 20
    members: int = 1_000
    depth: int = 2


@dataclass(frozen=True, slots=True)
class Member:
    """One stream of a report, ready to be parsed. `number` counts from 0."""

    number: int
    name: str
    stream: BinaryIO


@dataclass(slots=True)
class _Spent:
    """What unpacking this report has cost so far."""

    limits: Limits
    delivered: int
    name: str
    unpacked: int = 0
    members: int = field(default=0)

    def take(self, count: int) -> None:
        """Account for `count` more unpacked bytes.

        Raises:
            ArchiveTooLarge: a limit is passed.
        """
        self.unpacked += count
        limits = self.limits
        if self.unpacked > limits.total_bytes:
            raise ArchiveTooLarge(name=self.name, limit=f"{limits.total_bytes} bytes")
        allowed = max(limits.ratio_from, limits.ratio * max(self.delivered, 1))
        if self.unpacked > allowed:
            raise ArchiveTooLarge(name=self.name, limit=f"{limits.ratio} times its size")

    def open_member(self) -> int:
        """Account for one more member and give its number."""
        if self.members >= self.limits.members:
            raise ArchiveTooLarge(name=self.name, limit=f"{self.limits.members} members")
        self.members += 1
        return self.members - 1


class _Watched(io.RawIOBase):
    """Reads a decompressor, counting bytes and turning its errors into refusals."""

    def __init__(self, inner: BinaryIO, spent: _Spent) -> None:
        super().__init__()
        self._inner = inner
        self._spent = spent

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        try:
            chunk = self._inner.read(len(view))
        except _DAMAGES as error:
            raise ArchiveDamaged(name=self._spent.name, detail=_plain(error)) from error
        self._spent.take(len(chunk))
        view[: len(chunk)] = chunk
        return len(chunk)


def is_packed(head: bytes) -> bool:
    """Whether bytes that begin with `head` are no plain text: packed, or a foreign format."""
    return bool(packing(head) or foreign(head))


def members(
    stream: BinaryIO, file_name: str, *, size: int, limits: Limits | None = None
) -> Iterator[Member]:
    """The streams within a report of `size` delivered bytes, in order, each to be read to its end.

    `stream` must be seekable when it is a zip. A report that is not packed is its own one member.
    Folders within a zip are passed over.

    Raises:
        CannotUnpack: damaged, encrypted, too large or too deep; raised while streaming.
    """
    limits = limits or Limits()
    spent = _Spent(limits, size, base_name(file_name))
    yield from _open(_peekable(stream), base_name(file_name), spent, limits.depth)


def inspect(
    stream: BinaryIO, file_name: str, *, size: int, limits: Limits | None = None
) -> tuple[int, int]:
    """Walk a report to its end without keeping it: (members, unpacked bytes).

    Raises:
        CannotUnpack: as `members`, but before anything was made of its rows.
    """
    count = total = 0
    for member in members(stream, file_name, size=size, limits=limits):
        count += 1
        while chunk := member.stream.read(_CHUNK):
            total += len(chunk)
    return count, total


def first_head(
    stream: BinaryIO, file_name: str, *, size: int, length: int = 65_536
) -> tuple[str, bytes]:
    """Name and first unpacked bytes of the first member, for guessing what a report is.

    Raises:
        CannotUnpack: its first member cannot be reached.
    """
    for member in members(stream, file_name, size=size):
        return member.name, member.stream.read(length)
    return base_name(file_name), b""


def base_name(path: str) -> str:
    """The last part of a path of either system, without control characters; never empty."""
    name = PureWindowsPath(path.replace("/", "\\")).name
    name = "".join(character for character in name if character.isprintable()).strip(". ")
    return name[:300] or "unnamed"


class _Lent(io.RawIOBase):
    """The caller's stream: read and rewound here, closed by its owner alone."""

    def __init__(self, inner: BinaryIO) -> None:
        super().__init__()
        self._inner = inner

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._inner.seekable()

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._inner.seek(offset, whence)

    def tell(self) -> int:
        return self._inner.tell()

    def readinto(self, buffer: object) -> int:
        # Straight into the caller's buffer: reports of gigabytes are not copied once more.
        return int(self._inner.readinto(buffer))  # type: ignore[attr-defined]  # as all streams here


def _peekable(stream: BinaryIO) -> _Buffered:
    return _buffered(_Lent(stream))


def _buffered(raw: io.RawIOBase) -> _Buffered:
    return io.BufferedReader(raw, _CHUNK)


def _open(
    stream: _Buffered, name: str, spent: _Spent, depth: int, *, tars: int = 1
) -> Iterator[Member]:
    head = stream.peek(HEAD_BYTES)[:HEAD_BYTES]
    if kind := foreign(head):
        raise ForeignFormat(name=_told(name, spent), kind=kind)
    how = packing(head)
    if not how:
        yield Member(spent.open_member(), name, stream)
        return
    if (tars if how == "tar" else depth) == 0:
        raise ArchiveTooDeep(name=spent.name, depth=spent.limits.depth)
    if how == "tar":
        yield from _open_tar(stream, name, spent, depth)
    elif how == "zip":
        yield from _open_zip(stream, name, spent, depth, tars)
    else:
        inner = _gzip(stream) if how == "gzip" else _zstd(stream)
        watched = _buffered(_Watched(inner, spent))
        yield from _open(watched, _without_ending(name), spent, depth - 1, tars=tars)


def _told(name: str, spent: _Spent) -> str:
    """A member's name behind its archive's."""
    return spent.name if name == spent.name else f"{spent.name}: {name}"


def _gzip(stream: _Buffered) -> BinaryIO:
    return cast("BinaryIO", gzip.GzipFile(fileobj=stream, mode="rb"))


def _zstd(stream: _Buffered) -> BinaryIO:
    """All frames. Arrow's reader tells a stream that breaks off, in bounded memory."""
    return cast("BinaryIO", pa.CompressedInputStream(pa.PythonFile(stream, mode="r"), "zstd"))


def _open_zip(
    stream: _Buffered, name: str, spent: _Spent, depth: int, tars: int
) -> Iterator[Member]:
    name = _told(name, spent)
    with contextlib.ExitStack() as opened:
        seekable: BinaryIO = stream
        if not stream.seekable():
            seekable = cast("BinaryIO", opened.enter_context(tempfile.TemporaryFile()))
            shutil.copyfileobj(stream, seekable, _CHUNK)
        try:
            archive = opened.enter_context(zipfile.ZipFile(seekable))
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise ArchiveDamaged(name=name, detail=_plain(error)) from error
        if is_office(archive.namelist()):
            raise ForeignFormat(name=name, kind="a spreadsheet or another Office document")
        files = (entry for entry in archive.infolist() if not entry.is_dir())
        entries = [entry for entry in files if not is_rubbish(entry.filename)]
        for entry in entries:
            watched = _buffered(_Watched(_entry(archive, entry, spent), spent))
            yield from _open(watched, base_name(entry.filename), spent, depth - 1, tars=tars)
        if not entries:
            raise ArchiveDamaged(name=name, detail="it holds nothing")


def _open_tar(stream: _Buffered, name: str, spent: _Spent, depth: int) -> Iterator[Member]:
    """The files of a tar, in order, as it streams by."""
    name, empty = _told(name, spent), True
    try:
        for entry, content in _tar_entries(_Forward(stream), name):
            if content is None or is_rubbish(entry.name):
                continue
            empty = False
            watched = _buffered(_Watched(cast("BinaryIO", content), spent))
            yield from _open(watched, base_name(entry.name), spent, depth, tars=0)
    except _DAMAGES as error:
        raise ArchiveDamaged(name=name, detail=_plain(error)) from error
    if empty:
        raise ArchiveDamaged(name=name, detail="it holds nothing")


def _tar_entries(file: _Forward, name: str) -> Iterator[tuple[tarfile.TarInfo, IO[bytes] | None]]:
    """What a tar lists, each with its bytes if it is a file; up to the mark of its end."""
    with tarfile.open(fileobj=cast("BinaryIO", file), mode="r:") as archive:
        for _ in range(_TAR_ENTRIES):
            entry = archive.next()
            if entry is None:
                break
            archive.members.clear()  # type: ignore[attr-defined]  # it would keep them all
            file.headers_left = None
            yield entry, archive.extractfile(entry) if entry.isfile() else None
            file.headers_left = _TAR_HEADERS
        else:
            raise ArchiveTooLarge(name=name, limit=f"{_TAR_ENTRIES} entries")
    if file.last.strip(b"\0") or not file.last:
        # tarfile takes a broken header for the end, and what lies behind it would be lost.
        raise ArchiveDamaged(name=name, detail="it breaks off")


class _Forward:
    """A stream as `tarfile` wants its file, read once from its beginning to its end.

    `headers_left`: bytes that may still be read before a member's content begins (None: that is
    read). Names and sparse maps are held in memory, however long a header says that they are.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.headers_left: int | None = _TAR_HEADERS
        self.last = b""
        self._stream = stream
        self._at = 0

    def tell(self) -> int:
        """How much was read."""
        return self._at

    def seek(self, offset: int) -> int:
        """Pass over what lies before `offset`."""
        if offset < self._at:
            raise tarfile.ReadError("it points back into itself")
        while self._at < offset and (piece := self._stream.read(min(offset - self._at, _CHUNK))):
            self._at += len(piece)
        return self._at

    def read(self, size: int) -> bytes:
        """The next bytes."""
        if self.headers_left is not None:
            self.headers_left -= size
            if self.headers_left < 0:
                raise tarfile.ReadError("a header of it is too long")
        self.last = self._stream.read(size)
        self._at += len(self.last)
        return self.last


def _entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, spent: _Spent) -> BinaryIO:
    if entry.flag_bits & _ENCRYPTED:
        raise ArchiveEncrypted(name=spent.name)
    try:
        return cast("BinaryIO", archive.open(entry))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise ArchiveDamaged(name=spent.name, detail=_plain(error)) from error


def _without_ending(name: str) -> str:
    for ending in _ENDINGS:
        if name.lower().endswith(ending) and len(name) > len(ending):
            return name[: -len(ending)]
    return name


def _plain(error: BaseException) -> str:
    return (str(error) or type(error).__name__).rstrip(".")
