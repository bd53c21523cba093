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
from muhafiz.health.registry import declared_examinations
from muhafiz.health.rules import Ailment

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


def examined() -> set[str]:
    """What examinations say: subjects, what is wrong and how to mend it, facts."""
    found = {each.word for each in declared_examinations()}
    modules = {each.look.__module__ for each in declared_examinations()} | {
        "muhafiz.health.queries"
    }
    for name in modules:
        module = importlib.import_module(name)
        for each in vars(module).values():
            if isinstance(each, Ailment):
                found |= {each.what, each.mend}
        assert module.__file__
        for node in ast.walk(ast.parse(Path(module.__file__).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "fact":
                assert isinstance(node.args[0], ast.Constant), "a fact is spelt where it is told"
                found.add(str(node.args[0].value))
    return found


#: What refusals are given in words; and the rules that hand such words on.
_GIVEN = {"reason", "problem", "kind", "what", "detail", "limit"}
_RULES = {
    "accounts/rules.py": {"_objection"},
    "constituency/rules.py": {"_no_network"},
    "mandates/rules.py": {"_objection", "_unfounded", "_gazette_objection", "_readiness_objection"},
    "notifications/channels/smtp/address.py": {"smtp_address"},
    "notifications/composing.py": {"_check_may_go"},
    "rulebook/rules.py": {
        "_faults", "_text", "_whole", "_flag", "_names", "_texts", "_timezone", "_coded",
        "_regions", "_rows", "_table",
    },
}  # fmt: skip


def reasons() -> set[str]:
    """Every reason that a refusal may be given, {0}, {1} standing for the values in it."""
    names = {each.__name__ for each in refusals()}
    found: set[str] = set()
    root = WEB.parent
    for path in root.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        told = _RULES.get(str(path.relative_to(root)), set())
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _called(node) in names:
                found.update(
                    words
                    for keyword in node.keywords
                    if keyword.arg in _GIVEN
                    for words in _sentences(keyword.value)
                )
            if isinstance(node, ast.FunctionDef) and node.name in told:
                found.update(_handed_on(node))
    return {each for each in found if re.search("[A-Za-z]{2}", re.sub(r"\{\d\}", "", each))}


def _called(node: ast.Call) -> str:
    made = node.func
    return made.id if isinstance(made, ast.Name) else getattr(made, "attr", "")


def _handed_on(function: ast.FunctionDef) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Return | ast.Yield | ast.Assign) and node.value is not None:
            yield from _sentences(node.value)
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            for given in (*node.exc.args, *(each.value for each in node.exc.keywords)):
                yield from _sentences(given)
        if isinstance(node, ast.Call) and _called(node) == "append":
            for given in node.args:
                yield from _sentences(given)


def _sentences(node: ast.expr) -> Iterator[str]:
    """The texts that an expression may be, f-strings with numbered places."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        places = iter(range(10))
        yield "".join(
            str(part.value) if isinstance(part, ast.Constant) else f"{{{next(places)}}}"
            for part in node.values
        )
    elif isinstance(node, ast.IfExp):
        yield from _sentences(node.body)
        yield from _sentences(node.orelse)


def texts() -> set[Text]:
    found: set[Text] = set()
    for path in WEB.rglob("*.py"):
        found.update(from_python(path.read_text(encoding="utf-8")))
    for path in WEB.rglob("*.html"):
        found.update(from_template(path.read_text(encoding="utf-8")))
    found.update((None, each.text, None) for each in refusals())
    found.update((None, each, None) for each in examined())
    return found
