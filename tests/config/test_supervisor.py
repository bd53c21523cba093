"""The supervisor keeps its children alive and ends them when told."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from gunicorn.config import Config
from gunicorn.http.message import Request
from gunicorn.http.unreader import IterUnreader

from muhafiz.config.command import processes
from muhafiz.config.supervisor import platform_children

CHILD = "import os,sys,time; open(sys.argv[1],'a').write(str(os.getpid())+'\\n'); time.sleep(60)"


def pids(path: Path) -> list[int]:
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def wait_for(condition, seconds=15.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_killed_child_is_started_again_and_all_end_with_the_parent(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    program = f"""
import sys
from muhafiz.config.supervisor import Child, Supervisor
children = [Child(name, [sys.executable, "-c", {CHILD!r}, name]) for name in {[str(first), str(second)]!r}]
sys.exit(Supervisor(children).run())
"""
    parent = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True)
    try:
        wait_for(lambda: pids(first) and pids(second))
        os.kill(pids(first)[0], signal.SIGKILL)
        wait_for(lambda: len(pids(first)) == 2)
        assert len(pids(second)) == 1, "the other child goes on"
        parent.send_signal(signal.SIGTERM)
        _, said = parent.communicate(timeout=30)
    finally:
        parent.kill()
        parent.wait()
    assert parent.returncode == 0
    assert "ended with status -9" in said
    assert not any(alive(pid) for pid in pids(first) + pids(second))


def test_the_supervisor_stays_small():
    asked = "import sys, muhafiz.config.supervisor; print(sorted({'django', 'pyarrow', 'duckdb'} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_the_webs_master_loads_nothing_whose_threads_a_fork_would_lose(tmp_path):
    program = """
import sys
from gunicorn.app.base import BaseApplication
BaseApplication.run = lambda self: print(sorted({'django', 'pyarrow', 'numpy'} & set(sys.modules)))
sys.argv = ["muhafiz", "web"]
from muhafiz.config.command import main
main()
"""
    told = subprocess.run(
        [sys.executable, "-c", program],
        env={"PATH": os.environ["PATH"], "MUHAFIZ_VAR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.stdout.strip() == "[]", told.stderr


@pytest.mark.parametrize("bind", ["127.0.0.1:8000", "unix:/run/muhafiz.sock"])
def test_no_header_that_a_proxy_passes_on_changes_path_or_scheme(bind):
    """gunicorn trusts a peer on this machine with both, and a proxy passes a stranger's on."""
    chosen = Config()
    for name, value in processes.web_options(bind, 2).items():
        chosen.set(name, value)
    raw = (
        b"GET /sign-in/portal/ HTTP/1.1\r\nHost: desk\r\nSCRIPT_NAME: /sign-in\r\n"
        b"PATH_INFO: /portal/\r\nX-Forwarded-Proto: https\r\n\r\n"
    )
    peer = "" if bind.startswith("unix") else ("127.0.0.1", 1)
    asked = Request(chosen, IterUnreader(iter([raw])), peer)
    names = {name for name, _ in asked.headers}
    assert not names & {"SCRIPT_NAME", "PATH_INFO"}
    assert asked.scheme == "http"


def test_one_machine_is_a_web_process_and_workers_of_which_the_first_keeps_the_schedule():
    children = platform_children("127.0.0.1:1", workers=3, threads=2)
    assert [child.name for child in children] == ["web", "worker 1", "worker 2", "worker 3"]
    assert [child.name for child in children if "--schedule" in child.command] == ["worker 1"]


def test_a_worker_that_keeps_the_schedule_queues_and_does_timed_work(tmp_path):
    environment = {"PATH": os.environ["PATH"], "MUHAFIZ_VAR": str(tmp_path)}
    migrate = (
        "import os, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'muhafiz.config.settings'; "
        "django.setup(); from django.core.management import call_command; "
        "call_command('migrate', verbosity=0)"
    )
    subprocess.run([sys.executable, "-c", migrate], env=environment, check=True, timeout=300)
    command = [sys.executable, "-m", "muhafiz.config.command", "worker", "--schedule"]
    worker = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)

    def done() -> set[str]:
        with sqlite3.connect(tmp_path / "muhafiz.sqlite3", timeout=30) as database:
            asked = "SELECT name FROM jobs_job WHERE slot IS NOT NULL AND state = 'done'"
            return {name for (name,) in database.execute(asked)}

    try:
        wait_for(lambda: {"feeds.watch", "keyring.sign_audit_head"} <= done(), seconds=120)
        worker.send_signal(signal.SIGTERM)
        _, said = worker.communicate(timeout=60)
    finally:
        worker.kill()
        worker.wait()
    assert worker.returncode == 0, said
    assert "Traceback" not in said


def test_a_schedule_that_breaks_ends_its_worker_so_that_both_begin_anew(monkeypatch):
    def broken(clock, stop):
        raise ArithmeticError

    monkeypatch.setattr("muhafiz.jobs.scheduler.keep_schedule", broken)
    stop = threading.Event()
    with pytest.raises(ArithmeticError):
        processes._schedule(stop)
    assert stop.is_set()
