"""Settings come from the environment only, and misspelt ones are refused."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muhafiz.config.environment import SETTINGS, BadEnvironment, Environment


def test_unknown_setting_is_refused_with_the_nearest_name():
    with pytest.raises(BadEnvironment, match="Did you mean MUHAFIZ_SMTP_URL"):
        Environment.read({"MUHAFIZ_SMPT_URL": "smtp://127.0.0.1"})


def test_other_programs_variables_are_left_alone():
    assert Environment.read({"PATH": "/bin"}).text("MUHAFIZ_BIND") == "127.0.0.1:8000"


@given(
    st.text().filter(
        lambda text: text not in {"yes", "no", ""} and text.lower() not in {"yes", "no"}
    )
)
def test_a_flag_is_yes_or_no(text):
    environment = Environment({"MUHAFIZ_LOG_JSON": text})
    with pytest.raises(BadEnvironment):
        environment.flag("MUHAFIZ_LOG_JSON")


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "many", "٣", "1_000"])
def test_a_whole_number_is_whole_and_above_zero(text):
    with pytest.raises(BadEnvironment):
        Environment({"MUHAFIZ_WORKERS": text}).whole("MUHAFIZ_WORKERS")


def test_every_setting_has_a_meaning():
    assert all(setting.meaning.endswith(".") for setting in SETTINGS)


def test_the_command_line_refuses_an_unknown_setting():
    answer = subprocess.run(
        [sys.executable, "-m", "muhafiz.config.command", "doctor"],
        env={**os.environ, "MUHAFIZ_BNID": "127.0.0.1:1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 2
    assert "Did you mean MUHAFIZ_BIND" in answer.stderr
    assert "Traceback" not in answer.stderr
