"""A gate's leave, a post office, and mail servers of every temper."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from muhafiz.common.clock import HeldClock
from tests.notifications.peers import Authority, Mailbox, Peer, Post, made_authority, served


@pytest.fixture
def post(folders, settings, actor, now) -> Post:
    settings.MAIL_FROM = "National CERT <cert@cert.example>"
    settings.SMTP_URL = ""
    settings.DEMONSTRATION = False
    return Post(actor, HeldClock(now))


@pytest.fixture
def peer(settings) -> Iterator[Peer]:
    with served(Mailbox()) as found:
        settings.SMTP_URL = found.url
        yield found


@pytest.fixture(scope="session")
def authority(tmp_path_factory) -> Authority:
    return made_authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="session")
def gpg_home() -> Iterator[Path]:
    if shutil.which("gpg") is None:
        pytest.skip("GnuPG is missing: apt-get install gnupg")
    home = Path(tempfile.mkdtemp(prefix="gpg-", dir="/tmp"))  # a short path: its sockets need one
    home.chmod(0o700)
    yield home
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False)
    shutil.rmtree(home, ignore_errors=True)
