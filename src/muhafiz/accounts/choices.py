"""What people may choose for themselves: preferences, and views of lists. Pure."""

from __future__ import annotations

import re
from typing import Final, Literal, get_args

from muhafiz.common.refusal import Refusal
from muhafiz.formats.lines import one_line

Density = Literal["comfortable", "compact"]

DENSITIES: Final[tuple[Density, ...]] = get_args(Density)
LANGUAGES: Final = ("en", "ur")
#: So many views of one page a person may keep.
MOST_VIEWS: Final = 40
LONGEST_NAME: Final = 80
LONGEST_QUERY: Final = 2000

_PAGE: Final = re.compile(r"[a-z][a-z0-9-]{0,59}")


class BadPreference(Refusal):
    """A preference is none of its choices."""

    text = "“{value}” is not one of the choices."


class NoSuchView(Refusal):
    """The view does not exist, or is somebody else's."""

    text = "There is no saved view {view_id} of yours."


class BadViewName(Refusal):
    """A view needs a name."""

    text = "Give the view a name of at most {most} characters."


class BadViewQuery(Refusal):
    """The page cannot be kept: its filters are too long, or it is no page."""

    text = "These filters are too long to be kept."


class TooManyViews(Refusal):
    """The person keeps as many views of this page as they may."""

    text = "You keep {most} views of this page already. Remove one first."


class CannotShareView(Refusal):
    """The person has no role that others could share a view with."""

    text = "Only people with a role share views."


def plain_density(text: str) -> Density:
    """The density of this name.

    Raises:
        BadPreference: it is none.
    """
    for density in DENSITIES:
        if density == text:
            return density
    raise BadPreference(value=text)


def plain_language(text: str) -> str:
    """The language of this code.

    Raises:
        BadPreference: the platform does not speak it.
    """
    if text not in LANGUAGES:
        raise BadPreference(value=text)
    return text


def plain_view_name(text: str) -> str:
    """The view's name on one line.

    Raises:
        BadViewName: empty or too long.
    """
    name = one_line(text, LONGEST_NAME + 1)
    if not 0 < len(name) <= LONGEST_NAME:
        raise BadViewName(most=LONGEST_NAME)
    return name


def check_view(page: str, query: str) -> None:
    """Refuse what cannot be kept.

    Raises:
        BadViewQuery: the page's name is none, or the query is too long or not printable.
    """
    if not _PAGE.fullmatch(page) or len(query) > LONGEST_QUERY or not query.isprintable():
        raise BadViewQuery
