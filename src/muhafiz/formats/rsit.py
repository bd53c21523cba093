"""The Reference Security Incident Taxonomy (RSIT), version 1003: 11 classes, 39 types.

An event carries a type; the class follows from it. Words of other taxonomies are never stored as
a type: `to_type` finds the RSIT type for them and hands the word back as the identifier.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_DATA = tomllib.loads(resources.files(__package__).joinpath("rsit.toml").read_text("utf-8"))

VERSION: int = _DATA["version"]
CLASSES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {name: tuple(types) for name, types in _DATA["classes"].items()}
)
"""Types by class, in the taxonomy's order."""
TAXONOMY_OF: Mapping[str, str] = MappingProxyType(
    {name: taxonomy for taxonomy, types in CLASSES.items() for name in types}
)
"""The class of each type."""
UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True)
class Classified:
    """An RSIT type and, when the original word said something else, that word."""

    type: str
    identifier: str | None

    @property
    def taxonomy(self) -> str:
        """The RSIT class of the type."""
        return TAXONOMY_OF[self.type]


def to_type(word: str | None) -> Classified:
    """The RSIT type for a word of RSIT, IntelMQ, n6 or Shadowserver; never raises.

    A spelling variant becomes the type and nothing else; a word that RSIT lacks is kept as the
    identifier; a word nobody knows is `undetermined` with the word as identifier.
    """
    plain = re.sub(r"[\s_]+", "-", (word or "").strip().lower())
    if plain in TAXONOMY_OF:
        return Classified(plain, None)
    if plain in _DATA["spellings"]:
        return Classified(_DATA["spellings"][plain], None)
    return Classified(_DATA["narrower"].get(plain, UNDETERMINED), plain or None)
