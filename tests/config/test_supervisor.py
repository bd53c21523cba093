"""The supervisor keeps its children alive and ends them when told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

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
