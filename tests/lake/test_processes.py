"""Several real processes at one lake, and the ends that processes come to."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

ROOT = Path(__file__).parents[2]


def environment(var: Path, url: str) -> dict[str, str]:
    return {
        **os.environ,
        "MUHAFIZ_VAR": str(var),
        "DATABASE_URL": url,
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }


@pytest.fixture
def installed(tmp_path) -> Iterator[dict[str, str]]:
    """The environment of an installation with a database of its own, of this run's engine."""
    url = os.environ.get("DATABASE_URL", "")
    if not url:
        found = environment(tmp_path, "")
        migrate(found)
        yield found
        return
    name = f"test_lake_processes_{os.getpid()}"
    server = psycopg.connect(url, autocommit=True)
    server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    server.execute(f"CREATE DATABASE {name}")
    found = environment(tmp_path, urlunsplit(urlsplit(url)._replace(path=f"/{name}")))
    try:
        migrate(found)
        yield found
    finally:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")
        server.close()


def migrate(env: dict[str, str]) -> None:
    done = run(env, "from django.core.management import call_command; call_command('migrate')")
    assert done.returncode == 0, done.stderr


def run(env: dict[str, str], code: str) -> subprocess.CompletedProcess[str]:
    whole = f"import django; django.setup()\n{code}"
    return subprocess.run(
        [sys.executable, "-c", whole], env=env, capture_output=True, text=True, check=False
    )


def start(env: dict[str, str], *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.lake.appender", *map(str, arguments)],
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


VERIFY = """
from datetime import UTC, datetime
from muhafiz.lake.actions.verification import verify
from muhafiz.lake import queries
from muhafiz.lake.query import EventQuery
from muhafiz.lake.models import Receipt
found = verify(now=datetime.now(UTC), deep=True)
assert found.proven, found.problems
rows = queries.scan(EventQuery(limit=None))
print(rows.num_rows, len(set(rows["key"].to_pylist())), sum(rows["sightings"].to_pylist()))
print(" ".join(str(n) for n in Receipt.objects.values_list("report_id", flat=True)))
"""


def verified(env: dict[str, str]) -> tuple[list[int], set[int]]:
    """(events, distinct keys, sightings), and the reports with a receipt."""
    done = run(env, VERIFY)
    assert done.returncode == 0, done.stderr
    numbers, reports = done.stdout.split("\n")[-3:-1]
    return [int(n) for n in numbers.split()], {int(n) for n in reports.split()}


def let_go(processes: list[subprocess.Popen[str]]) -> None:
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()


@pytest.mark.parametrize("what", ["same", "compacting"])
def test_four_processes_at_once_store_each_event_once(installed, what):
    processes = [start(installed, what, 1 + 100 * n, 1 + 100 * n + 12) for n in range(4)]
    let_go(processes)
    answers = [process.communicate()[0].split("\n") for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    acknowledged = [line.split() for lines in answers for line in lines if line and line != "moved"]
    (events, keys, sightings), reports = verified(installed)
    assert events == keys == 50
    assert reports == {int(report) for report, _, _ in acknowledged}
    assert len(reports) == 48
    assert sightings == 48 * (50 if what == "same" else 20)
    assert sum(int(new) for _, new, _ in acknowledged) == 50


def test_killed_at_any_moment_nothing_acknowledged_is_lost(installed):
    """kill -9, again and again, while appending and compacting; then the proof must hold."""
    chance = random.Random(5)
    kills = int(os.environ.get("LAKE_KILLS", "12"))
    acknowledged: set[int] = set()
    for n in range(kills):
        process = start(installed, "compacting", 1 + 1000 * n, 1000 + 1000 * n)
        let_go([process])
        time.sleep(chance.uniform(0.02, 0.5))
        process.kill()
        told = process.communicate()[0].split("\n")[:-1]  # a last line without its end is no answer
        acknowledged |= {int(line.split()[0]) for line in told if line != "moved"}
        assert process.returncode == -9
    (events, keys, sightings), reports = verified(installed)
    assert events == keys
    assert acknowledged <= reports
    assert len(reports) - len(acknowledged) <= kills  # committed, the answer not yet printed
    assert sightings == 20 * len(reports)
    assert len(acknowledged) > kills
