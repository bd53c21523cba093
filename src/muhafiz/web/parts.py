"""What the page components take: pills, tabs, pages, tasks, happenings. Plain values, no markup."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.http import QueryDict
from django.utils.functional import Promise

Word = str | Promise

#: Query fields that hold a place in a list; a change of filter goes back to its beginning.
PLACES = ("before", "after", "page", "item")


@dataclass(frozen=True, slots=True)
class Pill:
    """One filter in force: what it asks for, and the address of the same page without it.

    `code`: the value is an identifier or address, so it stands left to right in every language.
    """

    name: str
    label: Word
    value: Word
    without: str
    code: bool = False


@dataclass(frozen=True, slots=True)
class FilterBar:
    """What `web/filter_bar.html` shows.

    `kept` are the query's other fields, which its form hands on; `clear` is the address without
    any filter; `open`: the form stands open because something in it is wrong.
    """

    pills: tuple[Pill, ...]
    kept: tuple[tuple[str, str], ...]
    clear: str
    open: bool = False


@dataclass(frozen=True, slots=True)
class Tab:
    """One view of a list. `count` None: not counted; `grave`: its count asks for attention."""

    address: str
    word: Word
    count: int | None = None
    here: bool = False
    grave: bool = False


@dataclass(frozen=True, slots=True)
class Pages:
    """The ways on from one page of a list: by key, never by offset. Empty: no such way."""

    first: str = ""
    newer: str = ""
    older: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """One line of a task list. `state`: done, next, waiting or failed."""

    word: Word
    state: str = "next"
    address: str = ""
    hint: Word = ""


@dataclass(frozen=True, slots=True)
class Happening:
    """One point of a timeline. `look`: empty, good, bad or wait."""

    title: Word
    at: datetime | None = None
    words: Word = ""
    by: str = ""
    address: str = ""
    look: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """One column that a list can show."""

    code: str
    word: Word
    shown: bool = True


def address(query: QueryDict, **changes: object) -> str:
    """The query string with `changes` (None or empty: without that field), back at the beginning.

    A place of `PLACES` stays only when it is itself among the changes.
    """
    kept = query.copy()
    for name in PLACES:
        kept.pop(name, None)
    for name, value in changes.items():
        kept.pop(name, None)
        if value is not None and value != "":
            kept[name] = str(value)
    return "?" + kept.urlencode()


def filter_bar(
    query: QueryDict,
    labels: Mapping[str, Word],
    *,
    words: Mapping[str, Callable[[str], Word]] | None = None,
    codes: Iterable[str] = (),
    errors: Iterable[str] = (),
) -> FilterBar:
    """The filters in force among the fields of `labels`, in their order.

    `words` say what a field's value is called; the values of `codes` are identifiers.
    """
    said, identifiers, wrong = words or {}, set(codes), set(errors)
    pills = []
    for name, label in labels.items():
        asked = query.get(name)
        if not isinstance(asked, str) or not asked or name in wrong:
            continue
        value = said[name](asked) if name in said else asked
        pills.append(Pill(name, label, value, address(query, **{name: None}), name in identifiers))
    left = {*labels, *PLACES}
    kept = tuple((n, value) for n in query if n not in left for value in query.getlist(n) if value)
    clear = address(query, **dict.fromkeys(labels))
    return FilterBar(tuple(pills), kept, clear, open=bool(wrong & set(labels)))


def tabs(
    query: QueryDict,
    name: str,
    choices: Iterable[tuple[str, Word, int | None]],
    *,
    here: str,
    grave: Sequence[str] = (),
) -> list[Tab]:
    """Tabs for one query field: (code, word, count) each; the code "" is the field's absence."""
    return [
        Tab(
            address(query, **{name: code}), word, count, code == here, code in grave and bool(count)
        )
        for code, word, count in choices
    ]


def pages(query: QueryDict, *, key: str = "before", older: object = None) -> Pages:
    """Ways on for a list whose next page begins after the key `older` (None: this is the last)."""
    return Pages(
        first=address(query) if query.get(key) else "",
        older=address(query, **{key: older}) if older is not None and older != "" else "",
    )
