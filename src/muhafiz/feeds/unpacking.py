"""Opens what reports come packed in: zip, gzip and Zstandard, at most two deep.

What a stream is, its first bytes tell, never its name. Of a member's path only the base name is
used. Limits are kept while streaming, so a bomb costs its limit and not its size. An archive is
walked once to its end by `inspect` before its first row is read: it is taken whole or refused
whole, and a refused one stays kept as it came.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PureWindowsPath
from typing import BinaryIO, ClassVar, TypeAlias, cast

import pyarrow as pa

from muhafiz.common.refusal import Refusal

_CHUNK = 1 << 20
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_ENDINGS = (".gz", ".zst", ".zip")
_ENCRYPTED = 0x1
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
        except (OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
            raise ArchiveDamaged(name=self._spent.name, detail=_plain(error)) from error
        self._spent.take(len(chunk))
        view[: len(chunk)] = chunk
        return len(chunk)


def is_packed(head: bytes) -> bool:
    """Whether bytes that begin with `head` are an archive or a compressed stream."""
    return head.startswith((_GZIP, _ZSTD, *_ZIP))


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


def _open(stream: _Buffered, name: str, spent: _Spent, depth: int) -> Iterator[Member]:
    head = stream.peek(4)[:4]
    if not is_packed(head):
        yield Member(spent.open_member(), name, stream)
        return
    if depth == 0:
        raise ArchiveTooDeep(name=spent.name, depth=spent.limits.depth)
    if head.startswith(_ZIP):
        yield from _open_zip(stream, name, spent, depth)
        return
    inner = _gzip(stream) if head.startswith(_GZIP) else _zstd(stream)
    watched = _buffered(_Watched(inner, spent))
    yield from _open(watched, _without_ending(name), spent, depth - 1)


def _gzip(stream: _Buffered) -> BinaryIO:
    return cast("BinaryIO", gzip.GzipFile(fileobj=stream, mode="rb"))


def _zstd(stream: _Buffered) -> BinaryIO:
    """All frames. Arrow's reader tells a stream that breaks off, in bounded memory."""
    return cast("BinaryIO", pa.CompressedInputStream(pa.PythonFile(stream, mode="r"), "zstd"))


def _open_zip(stream: _Buffered, name: str, spent: _Spent, depth: int) -> Iterator[Member]:
    name = spent.name if name == spent.name else f"{spent.name}: {name}"
    with contextlib.ExitStack() as opened:
        seekable: BinaryIO = stream
        if not stream.seekable():
            seekable = cast("BinaryIO", opened.enter_context(tempfile.TemporaryFile()))
            shutil.copyfileobj(stream, seekable, _CHUNK)
        try:
            archive = opened.enter_context(zipfile.ZipFile(seekable))
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise ArchiveDamaged(name=name, detail=_plain(error)) from error
        for entry in archive.infolist():
            if entry.is_dir():
                continue
            watched = _buffered(_Watched(_entry(archive, entry, spent), spent))
            yield from _open(watched, base_name(entry.filename), spent, depth - 1)
        if not archive.infolist():
            raise ArchiveDamaged(name=name, detail="it holds nothing")


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
