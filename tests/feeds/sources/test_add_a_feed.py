"""docs/developers/add-a-feed.md, followed literally."""

from __future__ import annotations

import re
from pathlib import Path

from muhafiz.feeds.sources import BUILT_IN, discover

PAGE = Path(__file__).parents[3] / "docs" / "developers" / "add-a-feed.md"
BLOCK = re.compile(r"^`([^`\n]+)`:\n\n```[a-z]+\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_whoever_follows_the_page_has_a_feed(tmp_path: Path) -> None:
    files = dict(BLOCK.findall(PAGE.read_text("utf-8")))
    assert set(files) == {
        "knocks/samples/knocks.csv", "knocks/mapping.toml", "knocks/__init__.py", "test_knocks.py"
    }  # fmt: skip
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    found = discover([BUILT_IN, tmp_path])
    source = found["knocks"]
    sample = (tmp_path / "knocks/samples/knocks.csv").read_bytes()
    sure = {name: each.recognizes("knocks.csv", sample) for name, each in found.items()}
    assert max(sure, key=lambda name: sure[name]) == "knocks"
    page: dict[str, object] = {}
    exec(compile(files["test_knocks.py"], "test_knocks.py", "exec"), page)
    check = page["check"]
    assert callable(check)
    check(source, sample)


def test_what_the_page_names_exists() -> None:
    root = PAGE.parents[2]
    text = PAGE.read_text("utf-8")
    for path in re.findall(r"`((?:src|tests)/[\w/.]+)`", text):
        assert (root / path).exists(), path
