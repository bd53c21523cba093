"""What the code asks of the rulebook is a key that the rulebook knows."""

from __future__ import annotations

import ast
from pathlib import Path

import muhafiz
from muhafiz.rulebook.rules import known_keys

SOURCE = Path(muhafiz.__file__).parent
ASKS = {"value", "value_or", "fact", "history"}


def asked() -> dict[str, str]:
    """Key → the file that asks for it, wherever a key is spelt out."""
    found = {}
    for path in SOURCE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if "rulebook" not in text or "rulebook" in path.relative_to(SOURCE).parts[:1]:
            continue
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            first = node.args[0]
            if name in ASKS and isinstance(first, ast.Constant) and isinstance(first.value, str):
                found[first.value] = str(path.relative_to(SOURCE))
    return found


def test_no_key_is_misspelt():
    """`value_or` would answer a misspelt key with its default for ever."""
    keys = {key: where for key, where in asked().items() if "{" not in key and " " not in key}
    assert len(keys) > 12
    assert {key: where for key, where in keys.items() if key not in known_keys()} == {}
