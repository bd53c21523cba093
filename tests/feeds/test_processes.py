"""Intake in real processes that are killed, and beside one that holds the database."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.feeds.conftest import NAME, telnet_csv

ROWS, BATCH, BAD = 4_000, 200, frozenset({1, 777, 3_999})
ROOT = Path(__file__).parents[2]

PREPARE = """
import django; django.setup()
from datetime import datetime, UTC
from django.core.management import call_command
call_command("migrate", verbosity=0)
from muhafiz.common.actor import Actor
from muhafiz.feeds.actions.feeds import create_feed
create_feed(name="shadowserver", source="shadowserver", actor=Actor.job("test"),
            now=datetime(2026, 11, 23, 9, 0, tzinfo=UTC))
"""

COUNT = """
import django, json; django.setup()
from datetime import datetime, UTC
from muhafiz.feeds.queries import reports, set_aside_rows
from muhafiz.lake.actions.verification import verify
from muhafiz.lake.models import Receipt
found = [
    (r.state, r.rows_read, r.rows_accepted, [s.row for s in set_aside_rows(report_id=r.id)],
     sum(Receipt.objects.filter(report_id=r.id).values_list("rows", flat=True)))
    for r in reports()
]
proof = verify(now=datetime(2026, 11, 23, 9, 0, tzinfo=UTC), deep=True)
print(json.dumps({"reports": found, "problems": [p.kind for p in proof.problems if p.kind != "orphan"]}))
"""


@pytest.fixture
def installed(tmp_path):
    """An installation on disk: its environment."""
    environment = {
        **os.environ,
        "MUHAFIZ_VAR": str(tmp_path / "var"),
        "MUHAFIZ_BATCH_ROWS": str(BATCH),
        "DJANGO_SETTINGS_MODULE": "muhafiz.config.settings",
        "DATABASE_URL": "",
    }
    subprocess.run(
        [sys.executable, "-c", PREPARE], env=environment, cwd=ROOT, check=True, timeout=120
    )
    return environment


def begin(environment: dict[str, str], file: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.feeds.intaker", str(file)],
        env=environment, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def told(process: subprocess.Popen[str], timeout: float = 120) -> list[str]:
    output, errors = process.communicate("go\n", timeout=timeout)
    assert process.returncode == 0, errors
    return output.splitlines()


def count(environment: dict[str, str]) -> dict[str, object]:
    import json

    output = subprocess.run(
        [sys.executable, "-c", COUNT], env=environment, cwd=ROOT, check=True, timeout=120,
        capture_output=True, text=True,
    ).stdout  # fmt: skip
    return json.loads(output.splitlines()[-1])


@pytest.mark.torture
def test_killed_at_any_moment_no_row_is_lost_or_doubled(installed, tmp_path):
    """kill -9 at random points of keeping, reading and appending; then the report is whole."""
    seed = int(os.environ.get("FEEDS_SEED", str(random.randrange(1 << 30))))
    sys.stdout.write(f"FEEDS_SEED={seed}\n")
    draw = random.Random(seed)
    reports, rounds = int(os.environ.get("FEEDS_REPORTS", "2")), 6
    for number in range(reports):
        file = tmp_path / f"{number}-{NAME}"
        file.write_bytes(telnet_csv(ROWS, seed=number, bad=BAD))
        for _ in range(rounds):
            process = begin(installed, file)
            process.stdin.write("go\n")
            process.stdin.flush()
            time.sleep(draw.random() * 1.2)
            process.kill()
            process.communicate()
        last = told(begin(installed, file))[-1].split()
        assert last[0] == "done"
        assert last[2:] == [str(ROWS - len(BAD)), str(len(BAD))]
    found = count(installed)
    whole = ["done", ROWS, ROWS - len(BAD), sorted(BAD), ROWS - len(BAD)]
    assert found == {"reports": [whole] * reports, "problems": []}


def test_a_locked_database_is_waited_for(installed, tmp_path):
    file = tmp_path / NAME
    file.write_bytes(telnet_csv(ROWS, bad=BAD))
    process = begin(installed, file)
    holder = sqlite3.connect(
        Path(installed["MUHAFIZ_VAR"]) / "muhafiz.sqlite3", check_same_thread=False,
        isolation_level=None,
    )  # fmt: skip
    holder.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    release = threading.Timer(3, lambda: (holder.execute("COMMIT"), holder.close()))
    release.start()
    lines = told(process)
    release.join()
    assert time.monotonic() - began > 2.5
    assert lines[-1].split()[0] == "done"
    assert count(installed)["problems"] == []


def test_two_workers_on_one_report_count_nothing_twice(installed, tmp_path):
    file = tmp_path / NAME
    file.write_bytes(telnet_csv(ROWS, bad=BAD))
    pair = [begin(installed, file) for _ in range(2)]
    for process in pair:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in pair:
        process.communicate(timeout=120)
    assert any(process.returncode == 0 for process in pair)
    if count(installed)["reports"][0][0] != "done":
        told(begin(installed, file))
    whole = ["done", ROWS, ROWS - len(BAD), sorted(BAD), ROWS - len(BAD)]
    assert count(installed) == {"reports": [whole], "problems": []}


def test_a_disk_that_is_really_full_takes_nothing(installed, tmp_path):
    """RLIMIT_FSIZE stands for the disk's end: writes beyond it fail with an error, not a signal."""
    file = tmp_path / NAME
    file.write_bytes(random.Random(1).randbytes(3_000_000))
    limited = (
        "import resource, signal, runpy, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000)); "
        f"sys.argv = ['x', {str(file)!r}]; runpy.run_module('tests.feeds.intaker', None, '__main__')"
    )
    process = subprocess.run(
        [sys.executable, "-c", limited], env=installed, cwd=ROOT, input="go\n", text=True,
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert process.returncode != 0
    assert "kept" not in process.stdout
    assert "File too large" in process.stderr
    assert count(installed) == {"reports": [], "problems": []}
    store = Path(installed["MUHAFIZ_VAR"]) / "reports"
    assert not [path for path in store.rglob("*") if path.is_file()]
