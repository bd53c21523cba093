"""The tabs of a list that is divided by state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from muhafiz.web.labels import STATES
from muhafiz.web.parts import Word


def state_tabs(
    states: Iterable[str], counts: Mapping[Any, int] | None = None
) -> list[tuple[str, Word, int | None]]:
    """(code, word, count) for “all” and for each state; without `counts` nothing is counted."""
    known = counts or {}
    each = [(code, STATES[code][0], known.get(code)) for code in states]
    return [("", _("All"), None), *each]
