"""What the documents tell people to type, to set and to open is there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from muhafiz.config.command import muhafiz
from muhafiz.config.environment import SETTINGS

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*")]
    if path.is_file() and path != ROOT / "docs" / "reference" / "command-line.md"
)
#: Where the product itself tells somebody what to type: in quotation marks.
SPOKEN = sorted(
    path
    for ending in ("*.py", "*.html", "*.toml", "*.po")
    for path in (ROOT / "src" / "muhafiz").rglob(ending)
)
_TYPED = re.compile(
    r"(?<![\w/.=-])(?<!-[ugt] )muhafiz ((?:[a-z][a-z_-]+|--[a-z-]+)(?: [^`“”\n|;#)]*)?)"
)
_CODE = re.compile(r"```[a-z]*\n(.*?)```|`([^`\n]+)`", re.DOTALL)
_QUOTED = re.compile(r"[“`](muhafiz [^”`\n]+)[”`]")
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def commands(text: str) -> list[str]:
    """What is typed after `muhafiz` in a page's code."""
    code = "\n".join(found for pair in _CODE.findall(text) for found in pair).replace("\\\n", " ")
    return [" ".join(found.split()) for found in _TYPED.findall(code)]


def fault(words: str) -> str:
    """Why this cannot be typed; empty when it can."""
    command: click.Command = muhafiz
    for word in shlex.split(words):
        if isinstance(command, click.Group) and not word.startswith("-"):
            found = command.get_command(click.Context(command), word)
            if found is None:
                return f"there is no {word}"
            command = found
        elif word.startswith("--"):
            known = {name for p in command.params for name in (*p.opts, *p.secondary_opts)}
            if word.partition("=")[0] not in {*known, "--help", "--version"}:
                return f"{command.name} takes no {word}"
    return ""


def test_the_search_finds_what_is_wrong():
    assert commands("`muhafiz lake query --limit 3` and\n```sh\nmuhafiz serve   # x\n```") == [
        "lake query --limit 3", "serve",
    ]  # fmt: skip
    assert fault("lake query --limit 3") == ""
    assert fault("lake drink") == "there is no drink"
    assert fault("lake query --colour red") == "query takes no --colour"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_of_a_page_can_be_typed(page):
    text = page.read_text(encoding="utf-8")
    if page.suffix != ".md":
        text = f"```\n{text}```"
    assert {words: fault(words) for words in commands(text) if fault(words)} == {}


def test_every_command_that_the_product_speaks_of_can_be_typed():
    wrong = {}
    spoken = 0
    for path in SPOKEN:
        for quoted in _QUOTED.findall(path.read_text(encoding="utf-8")):
            spoken += 1
            words = quoted.removeprefix("muhafiz ").rstrip(".,…")
            if fault(words):
                wrong[quoted] = fault(words)
    assert wrong == {}
    assert spoken > 20


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_setting_of_a_page_exists(page):
    named = set(re.findall(r"\b_?MUHAFIZ_[A-Z_]+[A-Z]\b", page.read_text(encoding="utf-8")))
    assert named - {setting.name for setting in SETTINGS} - {"_MUHAFIZ_COMPLETE"} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page):
    links = _LINK.findall(page.read_text(encoding="utf-8"))
    inner = [link for link in links if "://" not in link and not link.startswith("mailto:")]
    assert [link for link in inner if not (page.parent / link).exists()] == []


def test_every_target_of_make_that_a_page_names_exists():
    known = set(re.findall(r"(?m)^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8")))
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        named = set(re.findall(r"(?:`|^|&& |sudo )make ([a-z]+)\b", text, re.MULTILINE))
        assert named <= known, page


def test_every_page_of_the_docs_is_reached_from_the_readme():
    seen, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or (page.suffix != ".md" and not page.is_dir()):
            continue
        seen.add(page)
        if page.is_dir():
            waiting += sorted(page.glob("*.md"))
            continue
        links = _LINK.findall(page.read_text(encoding="utf-8"))
        waiting += [(page.parent / link).resolve() for link in links if "://" not in link]
    pages = set((ROOT / "docs").rglob("*.md"))
    assert sorted(str(page.relative_to(ROOT)) for page in pages - seen) == []
