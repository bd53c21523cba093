"""Every `room.module:name` that the architecture page speaks of exists."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "ARCHITECTURE.md"
NAMES = re.findall(r"`([a-z_]+(?:\.[a-z_]+)+):([a-z_]+)`", PAGE.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_the_name_exists(module, name):
    assert hasattr(importlib.import_module(f"muhafiz.{module}"), name)


def test_the_page_names_the_journey():
    assert len(NAMES) >= 10
