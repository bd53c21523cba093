"""How pages of the queue write titles, ages and targets."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from muhafiz.triage.facts import ItemFacts
from muhafiz.triage.rules import clock_look
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
    machine = f"PT{minutes}M"
    return format_html('<time class="nowrap" datetime="{}"><bdi>{}</bdi></time>', machine, shown)


@register.simple_tag
def target(item: Any, now: datetime) -> SafeString:
    """The time left to an item's target, hours and minutes; after it with a minus sign.

    The digits and their sign stand left to right in every language.
    """
    if item.due_at is None or getattr(item, "state", "new") == "closed":
        return SafeString('<span class="quiet">—</span>')
    arrived = getattr(item, "arrived_at", now)
    look = clock_look(arrived, item.due_at, now)
    over = look == "over"
    said = format_html('<span class="unseen">{} </span>', _("Overdue by")) if over else ""
    return format_html(
        '<span class="target target-{}" title="{}">{}<bdi dir="ltr" class="nowrap">{}</bdi></span>',
        look,
        item.due_at.strftime("%Y-%m-%d %H:%M UTC"),
        said,
        shown_left(item.due_at - now),
    )


def shown_left(left: timedelta) -> str:
    """Hours and minutes, "66:48"; of what is past, with a true minus sign before them."""
    minutes = int(abs(left).total_seconds()) // 60
    sign = "\N{MINUS SIGN}" if left < timedelta(0) else ""
    return f"{sign}{minutes // 60}:{minutes % 60:02d}"
