"""The web's signing secret: made once, kept beside the other keys."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from muhafiz.config.environment import BadEnvironment


def secret_key(keys: Path) -> str:
    """The secret in `keys`/web.secret, made at first use and readable by its owner only.

    Raises:
        BadEnvironment: the folder cannot be made, written or read.
    """
    try:
        return _kept(keys / "web.secret")
    except OSError as error:
        raise BadEnvironment(
            f"The folder of the keys cannot be used: {error}. Give it to the user that runs "
            "Muhafiz, or set MUHAFIZ_VAR or MUHAFIZ_KEYS to another."
        ) from None


def _kept(path: Path) -> str:
    keys = path.parent
    if not path.exists():
        keys.mkdir(parents=True, exist_ok=True, mode=0o700)
        beside = keys / f".web.secret.{os.getpid()}"
        beside.touch(mode=0o600)
        beside.write_text(secrets.token_urlsafe(64), encoding="ascii")
        try:
            os.link(beside, path)  # the first process wins; the others read its secret
        except FileExistsError:
            pass
        finally:
            beside.unlink()
    return path.read_text(encoding="ascii")
