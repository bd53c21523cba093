"""The desk's flat side list, in groups; only what the viewer may open."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from muhafiz.accounts.rules import may
from muhafiz.common.actor import Actor
from muhafiz.web.desk.permissions import ROUTES


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list. `family` are the routes under it that mark it as here."""

    route: str
    icon: str
    word: str | Promise
    family: tuple[str, ...] = ()
    waits: str = ""  # which count of waiting work stands beside it


@dataclass(frozen=True, slots=True)
class Group:
    """A heading and its lines."""

    word: str | Promise
    entries: tuple[Entry, ...]


_NOTICES = ("notice", "notice-preview", "ledger", "policies", "policy", "simulation")
_CONSTITUENTS = ("constituent", "constituent-edit", "claims", "contact-form", "merge", "import")
_ASIDE = ("set-aside-row", "set-aside-group", "mapping")
_QUEUE = ("queue-item", "queue-run", "queue-runs")

GROUPS = (
    Group(
        _("Work"),
        (
            Entry("queue", "queue", _("Queue"), _QUEUE, "queue"),
            Entry("handovers", "shift", _("Shift handover"), ("handover",)),
            Entry("river", "river", _("River")),
            Entry("notices", "letter", _("Notices"), _NOTICES),
            Entry("letters", "send", _("Letters"), ("letter",), "unsure"),
        ),
    ),
    Group(
        _("Knowledge"),
        (
            Entry("situation", "map", _("Situation")),
            Entry("events", "event", _("Events"), ("event", "exports")),
            Entry("constituents", "people", _("Constituents"), _CONSTITUENTS),
            Entry("requests", "tree", _("Requests"), ("request", "not-ours")),
            Entry("liaison", "quiet", _("Liaison"), ("owner",)),
        ),
    ),
    Group(
        _("Intake"),
        (
            Entry("reports", "report", _("Reports"), ("report",)),
            Entry("set-aside", "aside", _("Set aside"), _ASIDE, "open_rows"),
            Entry("feeds", "feed", _("Feeds"), ("feed",), "silent"),
        ),
    ),
    Group(
        _("House"),
        (
            Entry("platform-health", "pulse", _("Health")),
            Entry("jobs", "job", _("Jobs"), ("job",), "failed_jobs"),
            Entry("audit", "audit", _("Audit"), ("audit-entry",)),
            Entry("rulebook", "book", _("Rulebook"), ("rulebook-key",)),
            Entry("people", "lock", _("People"), ("person",)),
            Entry("browser-reports", "unsure", _("Browser reports"), (), "browser_reports"),
        ),
    ),
)


def navigation_for(viewer: Actor) -> list[Group]:
    """The groups with the lines that the viewer may open; empty groups left out."""
    shown = [
        Group(group.word, tuple(e for e in group.entries if may(viewer, ROUTES[e.route][0])))
        for group in GROUPS
    ]
    return [group for group in shown if group.entries]


def first_page(viewer: Actor) -> str:
    """Where the viewer's work begins: the first page open to them, else the front."""
    groups = navigation_for(viewer)
    return reverse(groups[0].entries[0].route) if groups else reverse("front")
