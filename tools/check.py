"""Run every check of the house, one after another; stop at the first that fails.

`python tools/check.py` runs all; `python tools/check.py lint sqlite` runs those named.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from private_postgresql import private_postgresql

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent


def run(*command: str, **variables: str) -> None:
    """Run one of the virtual environment's commands at the root; end when it fails."""
    print("$", " ".join(command), flush=True)
    status = subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        cwd=ROOT,
        env={**os.environ, **variables},
        check=False,
    ).returncode
    if status:
        sys.exit(status)


def lint() -> None:
    """Style, templates, and dependencies declared and used."""
    run("ruff", "check", ".")
    run("ruff", "format", "--check", ".")
    run("djlint", "--lint", "--quiet", "src/muhafiz")
    run("deptry", "src")


def types() -> None:
    """Strict types over the whole product."""
    run("mypy")


def floors() -> None:
    """Imports run down the floors."""
    run("lint-imports", "--no-cache")


def sqlite() -> None:
    """The whole suite on SQLite and the embedded lake."""
    run("pytest", "-q", "-n", "2", "--dist", "loadfile", "--durations=10", DATABASE_URL="")


def postgresql() -> None:
    """The same suite on PostgreSQL; browsers are not asked twice."""
    with private_postgresql() as url:
        if url is None:
            print("SKIPPED: PostgreSQL is not installed; the suite ran on SQLite only.", flush=True)
            return
        run("pytest", "-q", "-n", "2", "--dist", "loadfile", "-m", "not browser", DATABASE_URL=url)


def torture() -> None:
    """Kills, floods and bombs at full length, properties with new examples; on SQLite."""
    run("pytest", "-q", "tests/torture", "-n", "2", "--dist", "load", DATABASE_URL="")
    for _ in range(10):
        run(
            *("pytest", "-q", "-m", "hypothesis", "--hypothesis-profile=wander"),
            *("-n", "2", "--dist", "loadfile"),
            DATABASE_URL="",
        )


ALL: dict[str, Callable[[], None]] = {
    "lint": lint,
    "types": types,
    "floors": floors,
    "sqlite": sqlite,
    "postgresql": postgresql,
}


def main() -> None:
    """Run the checks named, or all."""
    for name in sys.argv[1:] or list(ALL):
        started = time.monotonic()
        {**ALL, "torture": torture}[name]()
        print(f"-- {name}: {time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
