"""The specimens of the page that shows every component. Invented values, and said to be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _

from muhafiz.web.charts import stacked_bars
from muhafiz.web.parts import Column, FilterBar, Happening, Pages, Pill, Tab, Task, Word

#: How each specimen is shown: (language, theme).
LOOKS = (("en", "light"), ("ur", "light"), ("en", "dark"), ("ur", "dark"))
_TEMPLATES = Path(__file__).parents[1] / "templates"
_AT = datetime(2026, 11, 23, 9, 14, 5, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Specimen:
    """One component: its name, when to take it, its markup, and how it looks everywhere."""

    code: str
    title: Word
    words: Word
    markup: str
    shown: tuple[tuple[str, str, str], ...]  # language, theme, the rendered markup


#: code (the template's name) → title, when to take it.
TOLD: dict[str, tuple[Word, Word]] = {
    "type": (_("Type"), _("Three sizes carry a page. Identifiers stand in the fixed font.")),
    "buttons": (_("Buttons"), _("One main act on a page. What cannot be taken back is red.")),
    "chips": (_("Chips"), _("Severity is bars, word and colour; TLP keeps FIRST's own form.")),
    "values": (_("Values"), _("Identifiers, times and numbers stand left to right everywhere.")),
    "table": (_("Table"), _("Dense, with headings that sort and stay in view.")),
    "filter_bar": (_("Filter bar"), _("What filters the list, each with the way out of it.")),
    "tabs": (_("Tabs"), _("Views of one list, with counts where work waits.")),
    "bulk": (_("Bulk bar"), _("“These” and “all that match” are never mixed up.")),
    "preview": (_("Preview"), _("A row read beside its list; below it on narrow screens.")),
    "facts": (_("Facts"), _("Names and values of one thing.")),
    "figures": (_("Figures"), _("A few numbers that a decision needs.")),
    "fields": (_("Fields"), _("Label, hint, error, in this order; what was typed stays.")),
    "error_summary": (_("Error summary"), _("Above the form; leads to each field.")),
    "task_list": (_("Task list"), _("A first sign-in, an import: few states, one next step.")),
    "timeline": (_("Timeline"), _("What happened, in order.")),
    "progress": (_("Progress"), _("Long work: how far, how fast, what failed; one may leave.")),
    "dialog": (_("Dialog"), _("For one decision. Without scripts it opens in the page.")),
    "pager": (_("Pager"), _("By key, never by offset: nothing is skipped or seen twice.")),
    "crumbs": (_("Breadcrumbs"), _("Where this page belongs")),
    "messages": (_("Tellings"), _("What was done, and what needs care.")),
    "empty": (_("Empty state"), _("What will appear, and the one thing to do.")),
    "keys": (_("Key hints"), _("Beside what they press; gone when shortcuts are off.")),
    "chart": (_("Chart"), _("Colours are tokens; a table says the same.")),
}


def specimens(request: HttpRequest) -> Iterator[Specimen]:
    """Every component, rendered in each language and theme."""
    for code, (title, words) in TOLD.items():
        name = f"desk/specimens/{code}.html"
        source = (_TEMPLATES / name).read_text(encoding="utf-8")
        markup = source.partition("%}\n")[2].strip()  # without its {% load %}
        shown = tuple(
            (language, theme, _shown(request, name, code, language, theme))
            for language, theme in LOOKS
        )
        yield Specimen(code, title, words, markup, shown)


def _shown(request: HttpRequest, name: str, code: str, language: str, theme: str) -> str:
    with override(language):
        own = {"own": f"{code}-{language}-{theme}", "language": language}
        return render_to_string(name, _values() | own, request)


def _values() -> dict[str, Any]:
    """What the specimens are made of, in the language in force."""
    return {
        "at": _AT,
        "hash": "5f2b8c1f0d9e4a7733c6b1a1d0e95b2c47a8f3e6d1c09b8a7766554433221100",
        "tabs": _tabs(),
        "bar": FilterBar(
            pills=(
                Pill("state", gettext("State"), gettext("Open"), "?"),
                Pill("cidr", gettext("Network"), "203.0.113.0/24", "?", code=True),
            ),
            kept=(),
            clear="?",
        ),
        "pages": Pages(first="?", older="?before=17"),
        "tasks": _tasks(),
        "happenings": _happenings(),
        "columns": [Column("tlp", "TLP"), Column("seen", gettext("Seen"), shown=False)],
        "errors": {
            "cidr": gettext("This is no network. Write it like 203.0.113.0/24 or 2001:db8::/32.")
        },
        "crumbs": [("/desk/events/", gettext("Events")), ("", "EV-48207")],
        "drawing": stacked_bars(
            [f"11-{day}" for day in range(16, 24)],
            [
                ("scanner", [4, 7, 3, 9, 12, 8, 6, 10]),
                ("infected-system", [2, 1, 4, 3, 5, 2, 6, 3]),
            ],
            height=160,
        ),
    }


def _tabs() -> list[Tab]:
    return [
        Tab("#part-tabs", gettext("New or mine"), 12, here=True),
        Tab("#part-tabs", gettext("Overdue"), 1, grave=True),
        Tab("#part-tabs", gettext("All"), 244),
        Tab("#part-tabs", gettext("Dismissed")),
    ]


def _tasks() -> list[Task]:
    return [
        Task(gettext("Set up a second factor"), "done"),
        Task(gettext("Import a file"), "next", "#part-task_list", gettext("Networks and contacts")),
        Task(gettext("Preview what is due"), "waiting"),
        Task(gettext("Verify a letter"), "failed"),
    ]


def _happenings() -> list[Happening]:
    return [
        Happening(gettext("Received"), _AT, "2026-11-22-scan_telnet.csv"),
        Happening(gettext("Matched network"), _AT, "203.0.113.0/24", look="good"),
        Happening(gettext("Set aside"), _AT, gettext("Too few rows"), look="wait"),
        Happening(gettext("Sent"), None, gettext("not yet"), by="H. Raza", look="bad"),
    ]
