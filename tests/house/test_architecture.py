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


def test_the_floors_of_the_page_are_those_that_imports_are_held_to():
    text = PAGE.read_text(encoding="utf-8")
    block = text.split("```")[1]
    shown = [re.split(r"\s{2,}", line.strip())[0] for line in block.strip().splitlines()]
    told: list[set[str]] = []
    for line in shown:
        rooms = {room.strip().rstrip("/") for room in line.split("|") if room.strip()}
        if line.startswith("|"):
            told[-1] |= rooms
        else:
            told.append(rooms)
    contract = (PAGE.parent / ".importlinter").read_text(encoding="utf-8")
    layers = contract.split("layers =", 1)[1].split("[importlinter", 1)[0]
    held = [
        {room.strip() for room in line.split("|")} for line in layers.splitlines() if line.strip()
    ]
    assert told == held


def test_every_room_is_on_a_floor_and_every_folder_named_is_there():
    text = PAGE.read_text(encoding="utf-8")
    source = PAGE.parent / "src" / "muhafiz"
    rooms = {path.name for path in source.iterdir() if (path / "__init__.py").exists()}
    assert {room for room in rooms if not re.search(rf"\b{room}\b", text)} == set()
    folders = re.findall(r"\| `([a-z/]+)/` \|", text)
    assert len(folders) >= 5
    assert [folder for folder in folders if not (source / folder).is_dir()] == []
