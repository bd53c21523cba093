"""GnuPG in a home of its own: the other side of every signature and message."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Gpg:
    home: Path

    def run(self, *arguments: str, given: bytes = b"", check: bool = True):
        return subprocess.run(
            ["gpg", "--homedir", str(self.home), "--batch", "--no-tty", "--yes", *arguments],
            input=given,
            capture_output=True,
            check=check,
            timeout=60,
        )

    def make(self, user_id: str, algorithm: str = "future-default", expires: str = "1y") -> str:
        """A new key with an encryption subkey; its fingerprint."""
        self.run(
            "--passphrase", "", "--pinentry-mode", "loopback", "--quick-generate-key", user_id,
            algorithm, "default", expires,
        )  # fmt: skip
        return self.fingerprint(user_id)

    def fingerprint(self, user_id: str) -> str:
        listing = self.run("--with-colons", "--list-keys", f"={user_id}").stdout.decode()
        return next(line.split(":")[9] for line in listing.splitlines() if line.startswith("fpr"))

    def export(self, user_id: str) -> str:
        return self.run("--armor", "--export", f"={user_id}").stdout.decode()

    def take(self, armored: str) -> None:
        self.run("--import", given=armored.encode())


@pytest.fixture(scope="session")
def gpg() -> Iterator[Gpg]:
    if shutil.which("gpg") is None:
        pytest.skip("GnuPG is missing: apt-get install gnupg")
    home = Path(tempfile.mkdtemp(prefix="gpg-", dir="/tmp"))  # a short path: its sockets need one
    home.chmod(0o700)
    try:
        yield Gpg(home)
    finally:
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False)
        shutil.rmtree(home, ignore_errors=True)
