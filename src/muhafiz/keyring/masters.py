"""The master keys of this installation: files `master-0001.key` and so on.

The one with the highest number seals; all of them open. They live outside the database, so a
stolen database or backup opens nothing.
"""

from __future__ import annotations

import secrets
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from muhafiz.keyring.keyfiles import make_once
from muhafiz.keyring.rules import BadSeal, key_id

_KEY_BYTES = 32


def current_master() -> bytes:
    """The key that seals today, made at first use."""
    files = _files()
    if not files:
        make_once(_path(1), secrets.token_bytes(_KEY_BYTES))
        files = _files()
    return _read(files[-1])


def next_master() -> tuple[int, bytes]:
    """Make the next key; its number and the key. Older ones still open what they sealed."""
    while True:
        files = _files()
        number = int(files[-1].stem.removeprefix("master-")) + 1 if files else 1
        if make_once(_path(number), secrets.token_bytes(_KEY_BYTES)):
            return number, _read(_path(number))


def master_named(wanted: bytes) -> bytes:
    """The key with this id.

    Raises:
        BadSeal: no such key in settings.KEYS.
    """
    for file in reversed(_files()):
        key = _read(file)
        if key_id(key) == wanted:
            return key
    raise BadSeal(reason=f"its master key {wanted.hex()} is not among the keys here")


def _path(number: int) -> Path:
    return Path(settings.KEYS) / f"master-{number:04d}.key"


def _files() -> list[Path]:
    return sorted(Path(settings.KEYS).glob("master-[0-9]*.key"))


def _read(path: Path) -> bytes:
    return _read_once(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _read_once(path: Path, changed: int) -> bytes:
    del changed  # part of the cache's key: another file at the same path is another key
    key = path.read_bytes()
    if len(key) != _KEY_BYTES:
        raise BadSeal(reason=f"the key file {path.name} is damaged")
    return key
