"""Which examinations there are. A room declares them in its `examinations.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import TypeVar

from django.apps import apps
from django.utils.module_loading import module_has_submodule

from muhafiz.health.rules import Fact, Finding

Look = Callable[[datetime], Iterable[Finding | Fact]]
_Look = TypeVar("_Look", bound=Look)


@dataclass(frozen=True, slots=True)
class Examination:
    """A look at one subject of the platform; `word` is what people call it, in English."""

    code: str
    word: str
    look: Look


_EXAMINATIONS: dict[str, Examination] = {}


def examination(code: str, word: str) -> Callable[[_Look], _Look]:
    """Declare an examination: `@examination("disk", "Disk")` over `def disk(now) -> …`.

    It changes nothing, asks little, and yields findings and facts in the order of the page. A
    database that does not answer may be let through: one examination speaks for all.

    Raises:
        ValueError: another function looks at this subject.
    """

    def declare(look: _Look) -> _Look:
        known = _EXAMINATIONS.get(code)
        if known is not None and known.look.__module__ != look.__module__:
            raise ValueError(f"Two examinations look at {code}.")
        _EXAMINATIONS[code] = Examination(code, word, look)
        return look

    return declare


def discover_examinations() -> None:
    """Import the `examinations` module of every installed app that has one.

    Raises:
        Exception: whatever a broken module raises; what nobody looks at is never found.
    """
    for config in apps.get_app_configs():
        if config.module is not None and module_has_submodule(config.module, "examinations"):
            import_module(f"{config.name}.examinations")


def declared_examinations() -> list[Examination]:
    """Every examination, those of lower rooms first."""
    return list(_EXAMINATIONS.values())
