"""What the explorer's codes are called in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from muhafiz.constituency import queries as constituency
from muhafiz.constituency.facts import OrganizationFacts
from muhafiz.detection.letters import type_words
from muhafiz.web.labels import SEVERITIES, TAXONOMIES
from muhafiz.web.place import sector_names


@dataclass(frozen=True, slots=True)
class Told:
    """A value as people read it; `code` when it stays an identifier, read left to right."""

    words: str
    code: bool = False


@dataclass(frozen=True, slots=True)
class Wording:
    """The names that are data: sectors of the rulebook, organizations by id."""

    language: str
    sectors: Mapping[str, str]
    owners: Mapping[int, OrganizationFacts] = field(default_factory=dict)

    def told(self, name: str, value: object) -> Told:
        """A value of the field or column `name`; what has no words is told as it is."""
        text = str(value)
        if words := self._words(name, text):
            return Told(words)
        return Told(f"AS{text}" if name == "asn" and text.isdigit() else text, code=True)

    def _words(self, name: str, text: str) -> str:
        """The words for a value; empty where it has none."""
        if name == "organization" and text.isascii() and text.isdigit():
            owner = self.owners.get(int(text))
            return owner.name(self.language) if owner else text
        if name == "type":
            return type_words(text, self.language)
        if name == "nobody":
            return _("nobody") if text == "yes" else _("anybody")
        if name == "severity":
            return str(SEVERITIES[text][0]) if text in SEVERITIES else ""
        named = {"sector": self.sectors, "taxonomy": TAXONOMIES}.get(name, {})
        return str(named.get(text, ""))


def wording(now: datetime, organizations: Iterable[int] = ()) -> Wording:
    """The names at this moment, and those of these organizations."""
    wanted = set(organizations)
    owners = constituency.organizations(wanted) if wanted else {}
    return Wording(get_language() or "en", sector_names(now), owners)
