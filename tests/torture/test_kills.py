"""Killed at random moments of intake, append, digest and delivery: nothing lost, nothing twice."""

from __future__ import annotations

import csv
import email
import email.policy
import io
import json
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

KILLS = int(os.environ.get("TORTURE_KILLS", "200"))
SEED = int(os.environ.get("TORTURE_SEED", "20261123"))
DRIVER = Path(__file__).with_name("driver.py")


class Mailbox:
    """What a mail server took: a message counts from its 250 on."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.taken: list[bytes] = []

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.taken.append(bytes(envelope.original_content or b""))
        return "250 taken"


@pytest.fixture
def mailbox():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    box = Mailbox(port)
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box
    controller.stop()


@pytest.fixture
def database():
    """A database that several processes may open: a file, or one of the PostgreSQL server's."""
    url = os.environ.get("DATABASE_URL", "")
    if not url:
        yield ""
        return
    name = f"torture_{uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
        yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def read(raw: bytes) -> EmailMessage:
    return email.message_from_bytes(raw, policy=email.policy.default)


def told_rows(message: EmailMessage) -> list[tuple[str, int]]:
    """The (address, port) pairs of a letter's CSV."""
    (sheet,) = [
        part for part in message.iter_attachments() if part.get_content_type() == "text/csv"
    ]
    content = sheet.get_content()
    text = content if isinstance(content, str) else content.decode("utf-8-sig")
    rows = csv.DictReader(io.StringIO(text.lstrip("\ufeff")))
    return [(row["source_ip"], int(row["source_port"])) for row in rows]


def reported(folder: Path) -> tuple[Counter[tuple[str, int]], dict[str, int]]:
    """What the reports that came in say: sightings of each pair, unreadable rows of each file."""
    pairs: Counter[tuple[str, int]] = Counter()
    bad: dict[str, int] = {}
    for path in (folder / "taken").glob("*.csv"):
        rows = list(csv.DictReader(io.StringIO(path.read_text())))
        readable = [row for row in rows if row["ip"] != "no.such.address"]
        bad[path.name] = len(rows) - len(readable)
        pairs.update((row["ip"], int(row["port"])) for row in readable)
    return pairs, bad


@pytest.mark.torture
def test_killed_again_and_again(tmp_path, mailbox, database):
    kills = KILLS if not database else max(KILLS // 4, 20)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("MUHAFIZ_")},
        "MUHAFIZ_VAR": str(tmp_path / "var"),
        "MUHAFIZ_SMTP_URL": f"smtp+plain://127.0.0.1:{mailbox.port}",
        "MUHAFIZ_MAIL_FROM": "cert@example.org",
        "MUHAFIZ_BATCH_ROWS": "25",
        "MUHAFIZ_LOG_LEVEL": "ERROR",
        "MUHAFIZ_FREE_DISK_PERCENT": "1",
        "DATABASE_URL": database,
        "DJANGO_SETTINGS_MODULE": "muhafiz.config.settings",
    }
    started = time.monotonic()
    ended = subprocess.run(
        [sys.executable, str(DRIVER), str(tmp_path), str(kills), str(SEED)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-4000:]
    verdict = json.loads((tmp_path / "verdict.json").read_text())
    # A failure is repeated by its seed.
    print(f"{kills} kills, seed {SEED}, {time.monotonic() - started:.0f} s")  # noqa: T201 - for whoever reads the run

    # Accepted = stored: what was acknowledged is there, read to its end, each row once.
    acknowledged = set((tmp_path / "acknowledged").read_text().split())
    pairs, bad = reported(tmp_path)
    assert acknowledged == set(bad)
    assert set(verdict["reports"]) == acknowledged
    assert len(acknowledged) > kills / 4
    for name, (state, accepted, set_aside) in verdict["reports"].items():
        assert (state, accepted, set_aside) == ("done", 60 - bad[name], bad[name])
    assert verdict["lake"] == []
    assert verdict["audit"] == []
    assert verdict["twice"] == []
    assert {(ip, port): n for ip, port, n in verdict["events"]} == dict(pairs)

    # At most once: no letter was taken twice, and no row was told in two letters.
    taken = [read(raw) for raw in mailbox.taken]
    assert [key for key, n in Counter(one["Message-ID"] for one in taken).items() if n > 1] == []
    doubtful = [read(raw.encode()) for raw in verdict["unsure"]]
    letters = {str(one["Message-ID"]): one for one in [*taken, *doubtful]}
    told = Counter(pair for letter in letters.values() for pair in told_rows(letter))
    assert [pair for pair, n in told.items() if n > 1] == []

    # At least once: every owner was told of every row, by mail or on the unsure list.
    assert set(told) == {(ip, port) for ip, port in verdict["owned"]}
    assert verdict["messages"]["queued"] == verdict["messages"]["sending"] == 0
    assert verdict["messages"]["failed"] == verdict["messages"]["held"] == 0
    assert verdict["messages"]["unsure"] <= kills
    assert verdict["messages"]["sent"] + verdict["messages"]["unsure"] == len(letters)
