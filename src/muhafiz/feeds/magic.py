"""What a file is, told by its first bytes, never by its name. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

HEAD_BYTES = 512
"""How much of a file must be seen to tell what it is."""
_TAR_AT = 257
_PACKED = (
    ("gzip", b"\x1f\x8b"),
    ("zstd", b"\x28\xb5\x2f\xfd"),
    ("zip", b"PK\x03\x04"),
    ("zip", b"PK\x05\x06"),
    ("zip", b"PK\x07\x08"),
)
# What people send and nobody can read as rows.
_FOREIGN = (
    ("a 7-Zip archive", b"7z\xbc\xaf\x27\x1c"),
    ("a RAR archive", b"Rar!\x1a\x07"),
    ("packed with xz", b"\xfd7zXZ\x00"),
    ("packed with bzip2", b"BZh91AY&SY"),
    ("a PDF document", b"%PDF-"),
    ("an old Office document", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    ("an OpenPGP message", b"-----BEGIN PGP MESSAGE-----"),
)
_OFFICE = frozenset({"[Content_Types].xml", "content.xml"})
_RUBBISH = frozenset({".ds_store", "thumbs.db", "desktop.ini"})


def packing(head: bytes) -> str:
    """gzip, zstd, zip or tar; "" when the bytes are none of these."""
    for kind, magic in _PACKED:
        if head.startswith(magic):
            return kind
    return "tar" if head[_TAR_AT : _TAR_AT + 5] == b"ustar" else ""


def foreign(head: bytes) -> str:
    """What the file is that cannot be read at all; "" for all others."""
    return next((kind for kind, magic in _FOREIGN if head.startswith(magic)), "")


def is_office(names: Iterable[str]) -> bool:
    """Whether an archive with members of these names is a spreadsheet or the like."""
    return not _OFFICE.isdisjoint(names)


def is_rubbish(path: str) -> bool:
    """Whether a member is what an operating system leaves in archives, and no report."""
    parts = PurePosixPath(path.replace("\\", "/")).parts
    name = parts[-1].lower() if parts else ""
    return "__MACOSX" in parts or name in _RUBBISH or name.startswith("._")
