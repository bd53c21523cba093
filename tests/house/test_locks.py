"""Dependencies are locked with hashes and come from whatever index the machine uses."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCKS = [ROOT / "requirements" / "run.lock", ROOT / "requirements" / "test.lock"]


def test_every_requirement_has_hashes():
    for lock in LOCKS:
        blocks = re.findall(r"(?m)^[a-z0-9][^\n]*==(?:[^\n]*\\\n)+[^\n]*", lock.read_text())
        assert len(blocks) > 30
        assert all("--hash=sha256:" in block for block in blocks)


def test_no_index_address_in_a_lock():
    for lock in LOCKS:
        assert "://" not in lock.read_text()


def test_both_locks_agree():
    def pins(lock: Path) -> dict[str, str]:
        return dict(re.findall(r"(?m)^([a-z0-9.-]+)==([^ ;\\]+)", lock.read_text()))

    run, test = map(pins, LOCKS)
    assert {name: test.get(name) for name in run} == run


def test_every_dependency_says_why():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for requirement in tomllib.loads(text)["project"]["dependencies"]:
        line = next(line for line in text.splitlines() if f'"{requirement}"' in line)
        assert "#" in line, f"{requirement} does not say why it is here"
