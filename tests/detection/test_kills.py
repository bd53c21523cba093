"""kill -9 before and after every commit and file of the digest: no letter twice, none lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

ROUNDS, PACE, KILLS_LEAST = 12, 3, 8  # step 1, 4, 7, … of the digest
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def database_url():
    """A database of the test's own, of the engine that this run tests."""
    database = settings.DATABASES["default"]
    if "sqlite" in database["ENGINE"]:
        yield ""
        return
    import psycopg

    name = f"test_kills_{os.getpid()}"
    reach = {"host": database["HOST"], "user": database["USER"], "password": database["PASSWORD"]}
    where = f"{database['HOST']}:{database['PORT'] or 5432}"
    with psycopg.connect(dbname="postgres", autocommit=True, **reach) as server:
        server.execute(f'CREATE DATABASE "{name}"')
        yield f"postgresql://{database['USER']}:{database['PASSWORD']}@{where}/{name}"
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.mark.torture
def test_killed_at_every_step(tmp_path, database_url):
    environment = {
        **os.environ,
        "MUHAFIZ_VAR": str(tmp_path / "var"),
        "DATABASE_URL": database_url,
        "DJANGO_SETTINGS_MODULE": "muhafiz.config.settings",
        "PYTHONPATH": str(ROOT),
    }
    script = str(Path(__file__).with_name("killed.py"))

    def child(step: str, number: int, at: int = 0) -> bool:
        """Whether it came to its end; it may fail in no other way than by the kill."""
        done = subprocess.run(
            [sys.executable, script, step, str(number), str(at)],
            env=environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode in {0, -signal.SIGKILL}, done.stderr[-3000:]
        return done.returncode == 0

    assert child("prepare", 0)
    rounds = [*range(1, ROUNDS * PACE, PACE)]
    kills = 0
    for number, at in enumerate(rounds, start=1):
        kills += not child("digest", number, at)
        if number % 4 == 0:  # kills follow each other on unfinished work, too
            assert child("finish", number)
    assert child("finish", len(rounds) + 1)
    assert child("check", len(rounds))
    assert kills >= KILLS_LEAST, "fewer steps than the digest has"
