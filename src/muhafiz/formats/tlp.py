"""The Traffic Light Protocol, version 2.0 (FIRST, August 2022).

A label that is missing or unknown counts as RED, so that a mistake keeps a thing in, never out.
Every combination of labels gives the strictest of them: a label only tightens.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

CLEAR: Final = "CLEAR"
GREEN: Final = "GREEN"
AMBER: Final = "AMBER"
AMBER_STRICT: Final = "AMBER+STRICT"
RED: Final = "RED"

#: From the widest to the strictest.
LABELS: Final = (CLEAR, GREEN, AMBER, AMBER_STRICT, RED)

_RANK: Final = {label: rank for rank, label in enumerate(LABELS)}
_ALIASES: Final = {"WHITE": CLEAR}  # TLP 1.0


def known(text: str | None) -> str | None:
    """The label that `text` names, or None when it names none.

    Accepts any case, a leading "TLP:", blanks at the ends, and TLP 1.0's WHITE for CLEAR.
    AMBER+STRICT must be whole: "AMBER STRICT" or "AMBER+" name nothing.
    """
    if not text:
        return None
    bare = text.strip().upper()
    if bare.startswith("TLP:"):
        bare = bare[4:].strip()
    bare = _ALIASES.get(bare, bare)
    return bare if bare in _RANK else None


def parse(text: str | None) -> str:
    """The label that `text` names; RED when it is missing or unknown."""
    return known(text) or RED


def rank(text: str | None) -> int:
    """How strict: 0 for CLEAR to 4 for RED; 4 for a missing or unknown label."""
    return _RANK[parse(text)]


def strictest(labels: Iterable[str | None]) -> str:
    """The strictest of `labels`; RED when there are none, for nothing is known then."""
    return LABELS[max((rank(label) for label in labels), default=_RANK[RED])]


def tighten(present: str | None, wanted: str | None) -> str:
    """`present` made as strict as `wanted`; never looser than `present`."""
    return strictest((present, wanted))


def within(label: str | None, limit: str) -> bool:
    """Whether a thing labeled `label` may go where at most `limit` may go."""
    return rank(label) <= rank(limit)
