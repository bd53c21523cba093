"""How the rooms of the desk write reasons and bytes."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from muhafiz.constituency.facts import OrganizationFacts
from muhafiz.web.desk import work_words
from muhafiz.web.desk.words import DOORS, REASONS, WORKERS

register = template.Library()


@register.filter
def reason(code: str) -> str:
    """What a reason for setting a row aside is called."""
    return str(REASONS[code][0]) if code in REASONS else code


@register.filter
def remedy(code: str) -> str:
    """What helps against it."""
    return str(REASONS[code][1]) if code in REASONS else ""


@register.filter
def door_word(code: str) -> str:
    """By which door a report came."""
    return str(DOORS.get(code, code))


@register.filter
def job_word(name: str) -> str:
    """What a work does."""
    return work_words.job_word(name)


@register.filter
def noted(text: str) -> SafeString:
    """What a job or a reader noted, in the reader's language."""
    return work_words.told(text)


@register.filter
def window_word(label: str) -> SafeString:
    """A window as people name it."""
    return work_words.window_word(label)


@register.filter
def change_word(code: str) -> str:
    """What was changed about an organization."""
    return str(work_words.CHANGES.get(code, code))


@register.filter
def seen(raw: bytes) -> str:
    """Foreign bytes, each of them visible."""
    shown = bytes(raw).decode("utf-8", "backslashreplace")
    return "".join(_VISIBLE.get(letter, letter) for letter in shown)


_VISIBLE = {chr(code): chr(0x2400 + code) for code in range(32) if chr(code) not in "\n\t"}


@register.simple_tag
def owner_name(named: dict[int, OrganizationFacts], number: int, language: str) -> SafeString:
    """An organization's name out of those that were looked up; its number where it has none."""
    found = named.get(number)
    return format_html('<bdi dir="auto">{}</bdi>', found.name(language) if found else number)


@register.simple_tag
def difference(before: int, after: int) -> SafeString:
    """How much more or less, with its sign before it."""
    change = after - before
    sign = "+" if change > 0 else "\N{MINUS SIGN}" if change < 0 else ""
    look = "more" if change > 0 else "less" if change < 0 else "quiet"
    return format_html('<bdi dir="ltr" class="{}">{}{}</bdi>', look, sign, f"{abs(change):,}")


@register.simple_tag
def worker_state(code: str) -> SafeString:
    """How a worker stands, as a chip."""
    word, look = WORKERS[code]
    return format_html('<span class="chip chip-{}">{}</span>', look, word)
