"""Every text that the faces can show: from templates, from code, from the refusals of all rooms."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

from django.utils.translation.template import templatize

import muhafiz
from muhafiz.common.refusal import Refusal

WEB = Path(muhafiz.__file__).parent / "web"
CALLS = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy"}
_CALL = re.compile(r"\b(?:n|p|np)?gettext\(|\b_\(")

#: (context or None, singular, plural or None)
Text = tuple[str | None, str, str | None]


def from_python(source: str) -> Iterator[Text]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            if name in CALLS and node.args and isinstance(node.args[0], ast.Constant):
                yield _text(name, [a.value for a in node.args if isinstance(a, ast.Constant)])


def _text(name: str, values: list[object]) -> Text:
    words = [str(value) for value in values]
    if name.startswith("p"):
        return words[0], words[1], None
    return None, words[0], words[1] if name.startswith("n") else None


def from_template(source: str) -> Iterator[Text]:
    found = templatize(source)
    for match in _CALL.finditer(found):
        for end in (m.end() for m in re.finditer(r"\)", found[match.start() :])):
            call = found[match.start() : match.start() + end]
            try:
                yield from from_python(call)
            except SyntaxError:
                continue
            break


def refusals() -> set[type[Refusal]]:
    for module in pkgutil.walk_packages(muhafiz.__path__, "muhafiz."):
        if not re.search(r"migrations|__main__|wsgi", module.name):
            importlib.import_module(module.name)
    found: set[type[Refusal]] = set()
    waiting = [Refusal]
    while waiting:
        each = waiting.pop()
        found.add(each)
        waiting += each.__subclasses__()
    return {each for each in found if each.__module__.startswith("muhafiz.")}


def texts() -> set[Text]:
    found: set[Text] = set()
    for path in WEB.rglob("*.py"):
        found.update(from_python(path.read_text(encoding="utf-8")))
    for path in WEB.rglob("*.html"):
        found.update(from_template(path.read_text(encoding="utf-8")))
    found.update((None, each.text, None) for each in refusals())
    return found
