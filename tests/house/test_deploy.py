"""The units, the container file and the wrapper say what the product is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
COMMAND = "/opt/muhafiz/.venv/bin/muhafiz"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_understands_the_units(tmp_path):
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8").replace(COMMAND, sys.executable)
        (tmp_path / unit.name).write_text(re.sub(r"(?m)^(User|Group)=.*$", r"\1=root", text))
    answer = subprocess.run(
        ["systemd-analyze", "verify", *sorted(map(str, tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SYSTEMD_LOG_LEVEL": "warning"},
    )
    assert answer.returncode == 0, answer.stderr
    assert [line for line in answer.stderr.splitlines() if str(tmp_path) in line] == []


def test_both_units_are_locked_down_alike():
    def locks(unit: Path) -> set[str]:
        text = unit.read_text(encoding="utf-8")
        return set(
            re.findall(r"(?m)^((?:Protect|Private|Restrict|System|Lock|No|Cap|UMask)\S+)", text)
        )

    service, worker = sorted(UNITS, key=lambda unit: "@" in unit.name)
    assert locks(service) == locks(worker)
    assert len(locks(service)) > 15


def test_the_container_file_copies_what_there_is():
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    for sources in re.findall(r"(?m)^COPY (?!--)(.+) \S+$", text):
        for name in sources.split():
            assert (ROOT / name).exists(), name


def test_the_wrapper_hands_settings_on_as_they_stand(tmp_path):
    """A password with signs that a shell would expand must not change on its way."""
    settings = tmp_path / "environment"
    settings.write_text(
        "# a comment\n\nMUHAFIZ_SMTP_URL=smtp://u:p$HOME w*&`x`@h:587\nMUHAFIZ_VAR=/v"
    )
    program = tmp_path / "program"
    program.write_text('#!/bin/sh\necho "$MUHAFIZ_SMTP_URL|$MUHAFIZ_VAR|$*"\n')
    program.chmod(0o755)
    text = (DEPLOY / "muhafiz").read_text(encoding="utf-8")
    assert "/etc/muhafiz/environment" in text
    text = text.replace("/etc/muhafiz/environment", str(settings)).replace(COMMAND, str(program))
    text = re.sub(r"setpriv .*?\\\n\s*", "", text)  # who types it here is nobody else
    answer = subprocess.run(
        ["sh", "-s", "lake", "query"], input=text, capture_output=True, text=True, check=True
    )
    assert answer.stdout == "smtp://u:p$HOME w*&`x`@h:587|/v|lake query\n"
