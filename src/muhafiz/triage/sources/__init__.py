"""Where the queue's items come from: one module each, discovered, never listed.

A source's module says:
- `KIND`: the kind of its items, as the rulebook's `triage.targets` and the faces name it;
- `PERMISSION`: who may see them (accounts/permissions.toml): the right to the room they come from;
- `EVERY`: how often it is asked at most;
- `waiting(now)`: all that waits at this moment, in one or few questions however much it is.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache
from typing import Protocol

from muhafiz.triage.waiting import Waiting


class Source(Protocol):
    """A module of this folder."""

    KIND: str
    PERMISSION: str
    EVERY: timedelta

    def waiting(self, now: datetime) -> Iterable[Waiting]:
        """All that waits at this moment."""
        ...


@cache
def sources() -> dict[str, Source]:
    """Every source there is, by kind.

    Raises:
        ValueError: two modules tell of the same kind.
    """
    found: dict[str, Source] = {}
    for module in pkgutil.iter_modules(__path__):
        source: Source = importlib.import_module(f"{__name__}.{module.name}")
        if source.KIND in found:
            raise ValueError(f"Two sources tell of {source.KIND}.")
        found[source.KIND] = source
    return dict(sorted(found.items()))
