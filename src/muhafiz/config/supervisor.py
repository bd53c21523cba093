"""Web, workers and scheduler as one command: started together, watched, ended together.

The parent stays small: it imports no Django, and `muhafiz serve` gives its own process to it. A
child that dies is started again, ever more slowly while it keeps dying; the others go on.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import NoReturn

_LONGEST_PAUSE_SECONDS = 60.0
_STEADY_SECONDS = 30.0  # a child that ran this long is healthy again: its next pause is short
_GRACE_SECONDS = 20.0


@dataclass
class Child:
    """One process to keep running: its name for logs and its command line."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    deaths: int = 0

    def start(self) -> None:
        """Start the process in a session of its own, so Ctrl-C reaches the parent alone."""
        self.process = subprocess.Popen(self.command, start_new_session=True)  # noqa: S603 - own command line
        self.started_at = time.monotonic()

    def look(self, say: Callable[[str], None]) -> None:
        """Start the process when it is due; note when it has died."""
        if self.process is None:
            if time.monotonic() >= self.start_at:
                self.start()
            return
        status = self.process.poll()
        if status is None:
            return
        if time.monotonic() - self.started_at > _STEADY_SECONDS:
            self.deaths = 0
        pause = min(2.0**self.deaths, _LONGEST_PAUSE_SECONDS)
        self.deaths += 1
        self.start_at = time.monotonic() + pause
        self.process = None
        say(f"{self.name} ended with status {status}; starting it again in {pause:.0f} s")


@dataclass
class Supervisor:
    """Keeps `children` running until asked to stop."""

    children: list[Child]
    say: Callable[[str], None] = lambda line: print(line, file=sys.stderr)  # noqa: T201 - the terminal is its log
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> int:
        """Start all, watch them, end them on SIGTERM or SIGINT; the exit status is 0."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._asked_to_stop)
        while not self.stop.wait(0.3):
            for child in self.children:
                child.look(self.say)
        self._end_children()
        return 0

    def _asked_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stop.set()

    def _end_children(self) -> None:
        running = [child.process for child in self.children if child.process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + _GRACE_SECONDS
        for process in running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def platform_children(bind: str, *, workers: int, threads: int) -> list[Child]:
    """The processes of one machine: the web on `bind`, and `workers` workers.

    The first worker keeps the schedule too: a process of its own would take 110 MiB for one
    question a second.
    """
    muhafiz = [sys.executable, "-m", "muhafiz.config.command"]
    web = [*muhafiz, "web", "--bind", bind, "--threads", str(threads)]
    worker = [*muhafiz, "worker"]
    return [
        Child("web", web),
        Child("worker 1", [*worker, "--schedule"]),
        *(Child(f"worker {number}", worker) for number in range(2, workers + 1)),
    ]


def become_supervisor(bind: str, *, workers: int, threads: int) -> NoReturn:
    """Give this process to a supervisor that carries nothing this process has loaded."""
    command = [sys.executable, "-m", "muhafiz.config.supervisor", bind, str(workers), str(threads)]
    os.execv(sys.executable, command)  # noqa: S606 - own command line


if __name__ == "__main__":
    _bind, _workers, _threads = sys.argv[1:]
    sys.exit(
        Supervisor(platform_children(_bind, workers=int(_workers), threads=int(_threads))).run()
    )
