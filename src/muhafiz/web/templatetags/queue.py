"""How pages of the queue write titles, ages and targets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import cos, pi, sin
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from muhafiz.triage.facts import ItemFacts
from muhafiz.triage.rules import clock_look, near_since, time_left
from muhafiz.web.desk import queue_words as words

register = template.Library()


@register.filter
def item_title(item: ItemFacts) -> SafeString:
    """What waits, in the reader's language."""
    return words.title(item.title, item.params)


@register.filter
def plain_item_title(item: ItemFacts) -> str:
    """The same without markup."""
    return words.plain_title(item.title, item.params)


@register.simple_tag
def item_state(item: ItemFacts) -> SafeString:
    """An item's state as a chip; of a closed one with the reason."""
    word, look = words.STATES.get(item.state, (item.state, "plain"))
    if item.state == "closed" and item.closed_reason in words.REASONS:
        word = words.REASONS[item.closed_reason]
    return format_html('<span class="chip chip-{}">{}</span>', look, word)


@register.filter
def state_told(code: str) -> str:
    """What an item's state is called, without a chip."""
    return words.state_word(code)


@register.filter
def item_kind(code: str) -> str:
    """What a kind of items is called."""
    return words.kind_word(code)


@register.filter
def sector_word(code: str, names: dict[str, str]) -> str:
    """What a sector is called."""
    return names.get(code, code)


@register.filter
def waits_word(code: str) -> str:
    """For what an item waits."""
    return str(words.WAITS_FOR.get(code, code))


@register.filter
def fact_word(code: str) -> str:
    """What a further fact is called."""
    return str(words.FACTS.get(code, code))


@register.filter
def act_word(code: str) -> str:
    """What an act is called on its button."""
    return str(words.ACTS.get(code, code))


@register.filter
def confirm_word(code: str) -> str:
    """What an act on many items is called."""
    return str(words.CONFIRM.get(code, code))


@register.simple_tag
def age(since: datetime, now: datetime) -> SafeString:
    """For how long: minutes, hours or days, as short as a column is narrow."""
    seconds = max(int((now - since).total_seconds()), 0)
    minutes = seconds // 60
    if minutes < 60:  # noqa: PLR2004 - an hour
        shown = _("{minutes}m").format(minutes=minutes)
    elif minutes < 48 * 60:
        shown = _("{hours}h {minutes}m").format(hours=minutes // 60, minutes=f"{minutes % 60:02d}")
    else:
        shown = _("{days}d {hours}h").format(
            days=minutes // 1440, hours=f"{minutes % 1440 // 60:02d}"
        )
    return format_html(
        '<time class="nowrap" datetime="PT{}M" data-since="{}"><bdi>{}</bdi></time>',
        minutes,
        _instant(since),
        shown,
    )


@register.simple_tag
def age_patterns() -> str:
    """How an age is written, for the script that goes on counting it: minutes, hours, days."""
    return "|".join((_("{minutes}m"), _("{hours}h {minutes}m"), _("{days}d {hours}h")))


@register.simple_tag
def target(item: Any, now: datetime) -> SafeString:
    """The time left to an item's target, hours and minutes; after it with a minus sign.

    A dial beside it empties with the time. The digits and their sign stand left to right in every
    language; a script goes on counting them (`clock.js`).
    """
    if item.due_at is None or getattr(item, "state", "new") == "closed":
        return SafeString('<span class="quiet">—</span>')
    arrived, due = getattr(item, "arrived_at", None), item.due_at
    look = clock_look(arrived or now, due, now)
    return format_html(
        '<span class="target target-{}" title="{}" data-due="{}"{}>{}'
        '<span class="unseen"{}>{} </span><bdi dir="ltr" class="nowrap">{}</bdi></span>',
        look,
        due.strftime("%Y-%m-%d %H:%M UTC"),
        _instant(due),
        _span(arrived, due) if arrived else "",
        _dial(time_left(arrived, due, now)) if arrived else "",
        "" if look == "over" else SafeString(" hidden"),
        _("Overdue by"),
        shown_left(due - now),
    )


def _span(arrived: datetime, due: datetime) -> SafeString:
    """From when to when the clock runs, and when it is called near: what the script needs."""
    return format_html(
        ' data-from="{}" data-near="{}"', _instant(arrived), _instant(near_since(arrived, due))
    )


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _dial(part: float) -> SafeString:
    """A dial whose filled part is what is left; at its end it is full, in the color of the late."""
    return format_html(
        '<svg class="dial" viewBox="0 0 12 12" aria-hidden="true" focusable="false">'
        '<circle cx="6" cy="6" r="5.25" fill="none" stroke="currentColor"/>'
        '<path d="{}" fill="currentColor"/></svg>',
        dial_path(part),
    )


def dial_path(part: float) -> str:
    """The sector of a dial that a part of the time takes, clockwise from the top."""
    if not 0 < part < 1:
        return "M6 1A5 5 0 1 1 6 11A5 5 0 1 1 6 1Z"
    turn = 2 * pi * part
    x, y = 6 + 5 * sin(turn), 6 - 5 * cos(turn)
    return f"M6 6V1A5 5 0 {int(part > 0.5)} 1 {x:.2f} {y:.2f}Z"  # noqa: PLR2004 - half a turn


def shown_left(left: timedelta) -> str:
    """Hours and minutes, "66:48"; of what is past, with a true minus sign before them."""
    minutes = int(abs(left).total_seconds()) // 60
    sign = "\N{MINUS SIGN}" if left < timedelta(0) else ""
    return f"{sign}{minutes // 60}:{minutes % 60:02d}"
