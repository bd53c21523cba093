"""Files and functions stay small enough to read in one look (DESIGN: p95 of 350 and 40 lines)."""

from __future__ import annotations

import ast
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "src" / "muhafiz"
FILES = [path for path in SOURCE.rglob("*.py") if "migrations" not in path.parts]
BANNED = {"utils", "util", "helpers", "services", "service", "manager", "managers", "base", "misc"}


def percentile_95(sizes: list[int]) -> int:
    return sorted(sizes)[int(len(sizes) * 0.95)]


def test_files_are_short():
    sizes = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert percentile_95(list(sizes.values())) <= 350
    assert {path.name: size for path, size in sizes.items() if size > 450} == {}


def test_functions_are_short():
    sizes = []
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                sizes += [(node.end_lineno or 0) - node.lineno + 1]
    assert percentile_95(sizes) <= 40
    assert max(sizes) <= 80


def test_no_room_is_called_utils():
    # Django looks for a database engine in a module of this name.
    named_by_django = SOURCE / "tenancy" / "engines"
    ours = [path for path in FILES if named_by_django not in path.parents]
    assert [str(path) for path in ours if path.stem in BANNED] == []


def test_no_broad_except_without_a_reason():
    broad = []
    for path in FILES:
        lines = path.read_text(encoding="utf-8").splitlines()
        for node in ast.walk(ast.parse("\n".join(lines))):
            if not isinstance(node, ast.ExceptHandler):
                continue
            if any(isinstance(one, ast.Raise) and one.exc is None for one in ast.walk(node)):
                continue  # it cleans up or takes note, and passes the exception on
            name = node.type.id if isinstance(node.type, ast.Name) else ""
            line = lines[node.lineno - 1]
            if (node.type is None or name in {"Exception", "BaseException"}) and "#" not in line:
                broad.append(f"{path.name}:{node.lineno}")
    assert broad == []
