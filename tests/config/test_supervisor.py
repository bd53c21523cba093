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
