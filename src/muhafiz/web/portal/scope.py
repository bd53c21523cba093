"""Which parts of the organization a page speaks of."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import get_language

from muhafiz.constituency.facts import OrganizationFacts
from muhafiz.constituency.holdings import own_organizations
from muhafiz.web.asking import Asked
from muhafiz.web.viewer import ViewedRequest


@dataclass(frozen=True, slots=True)
class Scope:
    """The viewer's organization with its parts, and the part that was chosen (None: all)."""

    parts: dict[int, OrganizationFacts]  # one's own first
    chosen: int | None

    @property
    def own(self) -> OrganizationFacts:
        """The viewer's own organization."""
        return next(iter(self.parts.values()))

    @property
    def ids(self) -> frozenset[int] | None:
        """What queries are narrowed to."""
        return frozenset({self.chosen}) if self.chosen is not None else None

    @property
    def several(self) -> bool:
        """Whether there is anything to choose."""
        return len(self.parts) > 1

    def choices(self) -> list[tuple[str, str]]:
        """(value, name in the reader's language) of each part."""
        language = get_language() or "en"
        return [(str(pk), each.name(language)) for pk, each in self.parts.items()]


def scope_of(request: ViewedRequest, asked: Asked | None = None) -> Scope:
    """The parts, and the one that `part` asks for; one that is not the viewer's is not known."""
    parts = {each.id: each for each in own_organizations(viewer=request.viewer)}
    chosen: int | None = None
    if asked is not None:
        text = asked.choice("part", tuple(str(pk) for pk in parts))
        chosen = int(text) if text else None
    return Scope(parts, chosen)
