"""Values that are data, told for reading: what is short is drawn, what is long is counted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

register = template.Library()

_FEW: Final = 12  # values that a line of a table holds
_BRIEF: Final = 2  # of a list, where much stands side by side
_LETTERS: Final = 60
_PAIRS: Final = 6  # of an entry's details; its own page has them all
_HASH: Final = re.compile(r"[0-9a-f]{32,}")
_HASH_SHOWN: Final = 12  # letters that tell two hashes apart
_MINUTE, _HOUR, _DAY, _WEEK = 60, 3_600, 86_400, 7 * 86_400
_UNITS: Final = (_WEEK, _DAY, _HOUR, _MINUTE, 1)  # in seconds, the largest first


@register.filter
def data(value: Any) -> SafeString:
    """A value of the rulebook: names under their languages, lists as lists, the rest as JSON."""
    if isinstance(value, Mapping) and value and all(map(_is_plain, value.values())):
        lines = ((name, _one(each)) for name, each in value.items())
        rows = format_html_join("", '<div><dt class="mono">{}</dt><dd>{}</dd></div>', lines)
        return format_html('<dl class="data">{}</dl>', rows)
    if isinstance(value, list) and value and all(map(_is_plain, value)) and len(value) <= _FEW:
        return _row(value)
    return _one(value)


@register.filter
def details(text: str) -> SafeString:
    """The details of an audit entry (a JSON object) on few lines; long lists by their number."""
    try:
        found = json.loads(text)
    except ValueError:
        return format_html('<bdi dir="ltr" class="mono">{}</bdi>', text[:_LETTERS])
    if not isinstance(found, dict):
        return _one(found)
    told = [(name, value) for name, value in found.items() if value not in ("", None, [])]
    shown = format_html_join(
        " · ",
        '<bdi dir="ltr" class="told"><span class="quiet">{}</span> {}</bdi>',
        ((name, _brief(value)) for name, value in told[:_PAIRS]),
    )
    left = len(told) - _PAIRS
    if left <= 0:
        return shown
    more = ngettext("{number} more", "{number} more", left).format(number=left)
    return format_html('{} · <span class="quiet">{}</span>', shown, more)


@register.filter
def span(value: timedelta | None) -> SafeString:
    """A span of time in its largest whole unit, from a second to weeks."""
    if value is None:
        return SafeString("—")
    seconds = int(value.total_seconds())
    unit = next(u for u in _UNITS if u == 1 or (seconds >= u and seconds % u == 0))
    number = seconds // unit
    words = {
        _WEEK: ngettext("{number} week", "{number} weeks", number),
        _DAY: ngettext("{number} day", "{number} days", number),
        _HOUR: ngettext("{number} hour", "{number} hours", number),
        _MINUTE: ngettext("{number} minute", "{number} minutes", number),
        1: ngettext("{number} second", "{number} seconds", number),
    }
    return format_html("{}", words[unit].format(number=number))


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float)


def _row(values: Iterable[Any]) -> SafeString:
    return format_html_join(_(", "), "{}", ((_one(each),) for each in values))


def _one(value: Any) -> SafeString:
    if isinstance(value, bool):
        return format_html("{}", _("Yes") if value else _("No"))
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return format_html('<bdi dir="auto">{}</bdi>', shown)


def _brief(value: Any) -> SafeString:
    if isinstance(value, list | dict):
        if isinstance(value, list) and len(value) <= _BRIEF and all(map(_is_plain, value)):
            return _row(value)
        words = ngettext("{number} value", "{number} values", len(value))
        return format_html("{}", words.format(number=len(value)))
    if isinstance(value, str) and _HASH.fullmatch(value):
        value = value[:_HASH_SHOWN] + "…"
    if isinstance(value, str) and len(value) > _LETTERS:
        value = value[:_LETTERS] + "…"
    return _one(value)
