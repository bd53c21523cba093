"""Secret key files: 0600 in a 0700 folder, made whole or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def make_once(path: Path, content: bytes) -> bool:
    """Lay `content` at `path` unless something is there; whether this call did it.

    The file appears whole, durable and readable by its owner only. When several processes try at
    once, exactly one of them wins and the others read its key.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = path.parent / f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}"
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(aside, path)
        _sync_folder(path.parent)
    except FileExistsError:
        return False
    finally:
        aside.unlink()
    return True


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
