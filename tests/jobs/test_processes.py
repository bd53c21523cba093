"""Real processes on a real database: killed workers, racing workers, racing writers of the log."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

HERE = Path(__file__).parent


class House:
    """A database of its own, and processes that share it."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.diary = Path(environment["PEER_DIARY"])
        self.children: list[subprocess.Popen[bytes]] = []
        self.run("migrate")

    def run(self, *arguments: str) -> str:
        return subprocess.run(
            [sys.executable, str(HERE / "peer.py"), *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        ).stdout

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(
            [sys.executable, str(HERE / "peer.py"), *arguments], env=self.environment
        )
        self.children.append(child)
        return child

    def lines(self, word: str) -> list[list[str]]:
        if not self.diary.exists():
            return []
        rows = [line.split() for line in self.diary.read_text().splitlines()]
        return [row for row in rows if row[0] == word]

    def wait(self, word: str, count: int, seconds: float = 60) -> list[list[str]]:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if len(found := self.lines(word)) >= count:
                return found
            time.sleep(0.02)
        raise AssertionError(f"only {len(self.lines(word))} of {count} “{word}” in {seconds} s")

    def state(self) -> dict:
        return json.loads(self.run("state"))

    def settled(self, seconds: float = 30) -> dict:
        """The state once every job has ended."""
        until = time.monotonic() + seconds
        while True:
            state = self.state()
            if {job[1] for job in state["jobs"]} <= {"done", "failed", "cancelled"}:
                return state
            assert time.monotonic() < until, state
            time.sleep(0.1)

    def end(self) -> None:
        for child in self.children:
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
        for child in self.children:
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


@pytest.fixture
def house(tmp_path) -> Iterator[House]:
    """On PostgreSQL when DATABASE_URL points there, else on an SQLite file."""
    environment = dict(os.environ)
    environment |= {
        "MUHAFIZ_VAR": str(tmp_path / "var"),
        "PEER_DIARY": str(tmp_path / "diary"),
        "DJANGO_SETTINGS_MODULE": "peer_settings",
        "PYTHONPATH": str(HERE),
    }
    url, name = os.environ.get("DATABASE_URL", ""), f"test_peers_{os.getpid()}"
    if url:
        with psycopg.connect(url, autocommit=True) as server:
            server.execute(f"DROP DATABASE IF EXISTS {name}")
            server.execute(f"CREATE DATABASE {name}")
        environment["DATABASE_URL"] = urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    made = House(environment)
    try:
        yield made
    finally:
        made.end()
        if url:
            with psycopg.connect(url, autocommit=True) as server:
                server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def test_a_killed_workers_job_is_taken_over(house):
    house.run("enqueue", "peer.deadly", "1")
    first = house.start("work")
    [begun] = house.wait("begin", 1)
    assert begun[2] == str(first.pid)
    first.kill()
    first.wait()
    second = house.start("work")
    [ended] = house.wait("end", 1)
    assert ended[1:] == [begun[1], str(second.pid)]
    state = house.settled()
    assert state["jobs"] == [[int(begun[1]), "done", 2, ["lost", "done"]]]


def test_a_stopped_worker_gives_its_job_back(house):
    house.run("enqueue", "peer.deadly", "1")
    worker = house.start("work")
    house.wait("begin", 1)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(20) == 0
    [[_, state, attempt, outcomes]] = house.state()["jobs"]
    assert (state, attempt, outcomes) == ("queued", 1, ["stopped"])


def test_racing_workers_never_run_one_job_twice(house):
    house.run("enqueue", "peer.short", "60")
    for _ in range(3):
        house.start("work")
    house.wait("end", 60)
    state = house.settled()
    begun = Counter(row[1] for row in house.lines("begin"))
    assert set(begun.values()) == {1}
    assert len(begun) == 60
    assert {job[1] for job in state["jobs"]} == {"done"}
    assert {job[2] for job in state["jobs"]} == {1}


def test_racing_and_killed_writers_leave_the_log_whole(house):
    steady = [house.start("append", "40") for _ in range(2)]
    for _ in range(3):
        killed = house.start("append", "100000")
        house.wait("committed", len(house.lines("committed")) + 5)
        killed.kill()
        killed.wait()
    for child in steady:
        assert child.wait(60) == 0
    state = house.state()
    committed, begun = len(house.lines("committed")), len(house.lines("recorded"))
    assert state["whole"]
    # Everything acknowledged is there; of what was cut short, at most one entry per killed writer.
    assert committed <= state["size"] <= min(begun, committed + 3)
