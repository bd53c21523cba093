"""What can be found: one module for each kind of thing, discovered, never listed.

A source's module says:
- `KIND`: the kind, as the faces name it;
- `PERMISSION`: who may find it (accounts/permissions.toml);
- `TENANTS`: whether a constituent finds its own;
- `told(mark, limit)`: the next things after a mark, and the mark to go on from. An empty mark is
  the beginning; when nothing is left, no drafts and the same mark.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Draft:
    """One thing as its source tells of it. `terms`: from `rules.terms`."""

    key: str
    title: str
    terms: Mapping[str, int]
    title_ur: str = ""
    told: str = ""
    args: Mapping[str, Any] = field(default_factory=dict)
    organization_id: int | None = None
    owner_finds: bool = True  # a tenant's people find it, when it is theirs
    moment: datetime | None = None


class Source(Protocol):
    """A module of this folder."""

    KIND: str
    PERMISSION: str
    TENANTS: bool

    def told(self, mark: str, limit: int) -> tuple[Sequence[Draft], str]:
        """The next things after a mark, and the mark to go on from."""
        ...


@cache
def sources() -> dict[str, Source]:
    """Every source there is, by kind."""
    found: dict[str, Source] = {}
    for module in pkgutil.iter_modules(__path__):
        source: Source = importlib.import_module(f"{__name__}.{module.name}")
        found[source.KIND] = source
    return dict(sorted(found.items()))
