"""A refusal's reason in the reader's language.

Rules write their reasons in English, where they arise, some with values in them (“it is longer than
200 letters”). The catalog `reasons.po` of a language knows their sentences, with places for the
values: “it is longer than {0} letters”.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from django.utils.translation import get_language

from muhafiz.web.labels import STATES
from muhafiz.web.translations import isolated, merged

_CATALOGS = Path(__file__).parent / "locale"
_PLACE = re.compile(r"\{\d\}")
_FSI, _PDI = "\u2068", "\u2069"  # UAX #9: first strong isolate, and its end


def worded(reason: str) -> str:
    """The reason in the reader's language, its values isolated; itself where none is known."""
    known = _sentences(get_language() or "en")
    if not reason or not known:
        return reason
    if reason in known:
        return isolated(known[reason])
    for pattern, words in _patterns(get_language() or "en"):
        if found := pattern.fullmatch(reason):
            return isolated(words).format(*(_value(each) for each in found.groups()))
    return reason


def _value(text: str) -> str:
    return f"{_FSI}{STATES[text][0] if text in STATES else text}{_PDI}"


@cache
def _sentences(language: str) -> dict[str, str]:
    """English sentence → the language's; empty for a language without the catalog."""
    source = _CATALOGS / language / "reasons.po"
    if not source.exists():
        return {}
    return {
        str(message.id): str(message.string)
        for message in merged([source], language=language)
        if message.id
    }


@cache
def _patterns(language: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """The sentences with places as patterns; that which says most stands first."""
    known = [(each, words) for each, words in _sentences(language).items() if _PLACE.search(each)]
    known.sort(key=lambda each: -len(_PLACE.sub("", each[0])))
    return tuple(
        (re.compile("(.+?)".join(map(re.escape, _PLACE.split(each))), re.DOTALL), words)
        for each, words in known
    )
