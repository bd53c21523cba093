"""The web's signing secret: made once, kept beside the other keys."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from muhafiz.config.environment import BadEnvironment

_FEWEST = 50  # characters; one that is made here has 86


def secret_key(keys: Path) -> str:
    """The secret in `keys`/web.secret, made at first use and readable by its owner only.

    Raises:
        BadEnvironment: the folder cannot be made, written or read, or the secret is damaged.
    """
    path = keys / "web.secret"
    try:
        found = _kept(path)
    except OSError as error:
        raise BadEnvironment(
            f"The folder of the keys cannot be used: {error}. Give it to the user that runs "
            "Muhafiz, or set MUHAFIZ_VAR or MUHAFIZ_KEYS to another."
        ) from None
    if len(found.strip()) < _FEWEST or not found.isascii():  # nobody signs with what all can guess
        raise BadEnvironment(
            f"{path} is damaged. Put it back from the backup; or remove it, then run `muhafiz "
            "upgrade`, and everybody signs in anew."
        )
    return found


def _kept(path: Path) -> str:
    keys = path.parent
    if not path.exists():
        keys.mkdir(parents=True, exist_ok=True, mode=0o700)
        beside = keys / f".web.secret.{os.getpid()}"
        beside.touch(mode=0o600)
        with beside.open("w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(64))
            file.flush()
            os.fsync(file.fileno())  # else a power cut leaves an empty one
        try:
            os.link(beside, path)  # the first process wins; the others read its secret
        except FileExistsError:
            pass
        finally:
            beside.unlink()
    return path.read_text(encoding="utf-8", errors="replace")
