"""Values that are data, told for reading: what is short is drawn, what is long is counted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
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
    pairs = ((name, _brief(value)) for name, value in found.items() if value not in ("", None, []))
    return format_html_join(
        " · ", '<bdi dir="ltr" class="told"><span class="quiet">{}</span> {}</bdi>', pairs
    )


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
    if isinstance(value, str) and len(value) > _LETTERS:
        value = value[:_LETTERS] + "…"
    return _one(value)
