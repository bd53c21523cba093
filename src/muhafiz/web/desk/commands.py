"""What the palette offers: pages, saved views, acts and jumps, found from what the desk has.

Nothing is listed here that the side list, the route table or the saved views already know; a new
page of the desk appears by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.translation import get_language, gettext, override
from django.utils.translation import gettext_lazy as _

from muhafiz.accounts.queries import saved_views
from muhafiz.accounts.rules import may
from muhafiz.common.actor import Actor
from muhafiz.constituency import queries as constituency
from muhafiz.detection.queries import notice_by_number
from muhafiz.feeds import queries as feeds
from muhafiz.web.desk.navigation import GROUPS
from muhafiz.web.desk.permissions import ROUTES
from muhafiz.web.parts import Word


@dataclass(frozen=True, slots=True)
class Command:
    """One line of the palette. `also`: other words that find it; `fields`: what a POST sends."""

    word: str
    address: str
    group: str = ""
    also: str = ""
    method: str = "get"
    fields: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """For the palette's script."""
        return {name: getattr(self, name) for name in self.__slots__}


#: Pages below those of the side list that need no argument, with their words.
_BELOW: tuple[tuple[str, Word], ...] = (
    ("import", _("Import a file")),
    ("notice-preview", _("Preview what is due")),
    ("me", _("My settings")),
    ("handover", _("Shift handover")),
    ("look", _("Components")),
)

#: Acts of every viewer: (route, fields, word).
_ACTS: tuple[tuple[str, dict[str, str], Word], ...] = (
    ("density", {"density": "compact"}, _("Compact rows")),
    ("density", {"density": "comfortable"}, _("Comfortable rows")),
    ("theme", {"theme": "light"}, _("Light")),
    ("theme", {"theme": "dark"}, _("Dark")),
    ("language", {"language": "en"}, "English"),
    ("language", {"language": "ur"}, "اردو"),
    ("leave", {}, _("Sign out")),
)

#: What a typed number can name: (route, is there one, word with {number}).
_NUMBERED: tuple[tuple[str, Callable[[int], object], Word], ...] = (
    ("report", feeds.report, _("Report {number}")),
    ("constituent", constituency.organization, _("Organization {number}")),
)
_NUMBER = re.compile(r"#?([0-9]{1,18})")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def commands_for(viewer: Actor) -> list[Command]:
    """Everything the viewer may go to or do from anywhere, in the reader's language."""
    return [*_pages(viewer), *_views(viewer), *_acts()]


def found_by_name(viewer: Actor, text: str) -> list[Command]:
    """Those whose words hold all of the text's words; all of them for no text."""
    words = text.casefold().split()
    return [
        each
        for each in commands_for(viewer)
        if all(word in f"{each.word} {each.also} {each.group}".casefold() for word in words)
    ]


def found_by_number(viewer: Actor, text: str) -> list[Command]:
    """The things that the text names by number or id, as far as the viewer may open their pages."""
    plain = text.strip()
    found = list(_notice(viewer, plain))
    if number := _NUMBER.fullmatch(plain):
        found += _numbered(viewer, int(number.group(1)))
    if _UUID.fullmatch(plain.lower()) and open_to(viewer, "letter"):
        found.append(
            Command(plain.lower(), reverse("letter", args=[plain.lower()]), gettext("Letter"))
        )
    return found


def _numbered(viewer: Actor, number: int) -> Iterator[Command]:
    for name, known, word in _NUMBERED:
        if open_to(viewer, name) and known(number):
            yield Command(str(word).format(number=number), reverse(name, args=[number]))


def _notice(viewer: Actor, text: str) -> Iterator[Command]:
    if not open_to(viewer, "notice") or not re.fullmatch(r"[\w/-]{3,60}", text):
        return
    notice = notice_by_number(text.upper())
    if notice is not None:
        yield Command(
            notice.number or text, reverse("notice", args=[notice.id]), gettext("Notices")
        )


def _pages(viewer: Actor) -> Iterator[Command]:
    for group in GROUPS:
        for entry in group.entries:
            yield from _page(viewer, entry.route, entry.word, str(group.word))
    for name, word in _BELOW:
        yield from _page(viewer, name, word, gettext("Go to"))


def _page(viewer: Actor, name: str, word: Word, group: str) -> Iterator[Command]:
    address = _address(name)
    if address and (name not in ROUTES or open_to(viewer, name)):
        yield Command(str(word), address, group, also=_in_english(word))


def _views(viewer: Actor) -> Iterator[Command]:
    for group in GROUPS:
        for entry in group.entries:
            if not open_to(viewer, entry.route):
                continue
            for view in saved_views(entry.route, viewer):
                address = f"{reverse(entry.route)}?{view.query.lstrip('?')}"
                yield Command(view.name, address, str(entry.word), also=_in_english(entry.word))


def _acts() -> Iterator[Command]:
    for name, fields, word in _ACTS:
        address = _address(name)
        if address:
            yield Command(str(word), address, gettext("Do"), _in_english(word), "post", fields)


def open_to(viewer: Actor, name: str) -> bool:
    """Whether the viewer may open a route."""
    return name in ROUTES and may(viewer, ROUTES[name][0])


def _address(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def _in_english(word: Word) -> str:
    if (get_language() or "en").startswith("en"):
        return ""
    with override("en"):
        return str(word)
