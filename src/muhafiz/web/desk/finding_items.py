"""Findings beside the items of the queue that are about them."""

from __future__ import annotations

from collections.abc import Sequence

from muhafiz.common.actor import Actor
from muhafiz.detection.facts import FindingFacts
from muhafiz.triage.queries import items_of


def with_items(
    found: Sequence[FindingFacts], *, viewer: Actor
) -> list[tuple[FindingFacts, int | None]]:
    """Each finding with its item; None where it never came to the queue."""
    items = items_of("finding", (str(one.id) for one in found), viewer=viewer)
    return [(one, items.get(str(one.id))) for one in found]
