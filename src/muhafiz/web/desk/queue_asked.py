"""What a person asks of the queue: address line and forms become filters and selections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.http import QueryDict
from django.utils.translation import ngettext

from muhafiz.accounts.queries import SavedViewFacts
from muhafiz.formats.tlp import LABELS
from muhafiz.triage.filters import (
    ASKED_OWNERS,
    ASKED_STATES,
    ORDERS,
    TABS,
    AllMatching,
    Chosen,
    Filter,
    Order,
    Selection,
)
from muhafiz.triage.rules import SEVERITIES
from muhafiz.web.desk.asking import Asked

#: Query field → part of the filter.
FIELDS: Final = {
    "state": "state",
    "kind": "kind",
    "severity": "severity",
    "sector": "sector",
    "organization": "organization",
    "owner": "owner",
    "tlp": "tlp",
    "overdue": "overdue",
    "like": "like",
    "q": "text",
}
MOST_CHOSEN: Final = 1_000
_LOOKS: Final = ("sort", "group")


def asked_filter(asked: Asked) -> Filter:
    """The filter that stands in the query; without any part of one, what is new or mine."""
    if not any(asked.raw.get(name) for name in FIELDS):
        return TABS["mine"]
    owner = asked.text("owner")
    if owner and owner not in ASKED_OWNERS and asked.whole("owner") is None:
        owner = ""
    return Filter(
        state=asked.choice("state", ASKED_STATES, "open"),
        kind=asked.text("kind"),
        severity=asked.choice("severity", SEVERITIES),
        sector=asked.text("sector"),
        organization=asked.whole("organization"),
        owner=owner,
        tlp=asked.choice("tlp", tuple(LABELS)),
        overdue=asked.choice("overdue", ("yes",)) == "yes",
        like=asked.text("like"),
        text=asked.text("q"),
    )


def asked_order(asked: Asked) -> Order:
    """The order that stands in the query; by the clock where none does."""
    wanted = asked.choice("sort", tuple(ORDERS), "target")
    return next(order for order in ORDERS if order == wanted)


def query_of(wanted: Filter) -> str:
    """A filter as the address line writes it."""
    parts = wanted.parts()
    query = QueryDict(mutable=True)
    for name, part in FIELDS.items():
        if part in parts:
            query[name] = parts[part]
    return query.urlencode()


def view_query(query: QueryDict, wanted: Filter) -> str:
    """What makes the list look as it does: its filter, its order, and whether it is grouped."""
    kept = QueryDict(query_of(wanted), mutable=True)
    for name in _LOOKS:
        if query.get(name):
            kept[name] = query.get(name, "")
    return kept.urlencode()


def list_query(query: QueryDict, wanted: Filter) -> str:
    """The list as its items' pages lead back to it: filters, order, and the page it stands on."""
    kept = QueryDict(view_query(query, wanted), mutable=True)
    for name in ("after", "before"):
        if query.get(name):
            kept[name] = query.get(name, "")
    return kept.urlencode()


def full_query(query: QueryDict, wanted: Filter) -> QueryDict:
    """The query with the filter that it stands for spelt out, so that every pill can be shown."""
    full = query.copy()
    for name in FIELDS:
        full.pop(name, None)
    full.update({name: str(value) for name, value in QueryDict(query_of(wanted)).items()})
    return full


def view_filters(views: list[SavedViewFacts]) -> Mapping[str, Filter]:
    """Saved views as filters, by their ids; what cannot be read any more is left out."""
    found = {}
    for view in views:
        asked = Asked(QueryDict(view.query))
        wanted = asked_filter(asked)
        if not asked.errors:
            found[f"view-{view.id}"] = wanted
    return found


def asked_selection(form: QueryDict) -> Selection:
    """The items that a form chose: those ticked, or all that match what the page showed.

    A filter that cannot be read selects nothing: nobody acts on more than they saw.
    """
    if form.get("scope") == "all":
        asked = Asked(QueryDict(form.get("query", "")))
        wanted, arrival = asked_filter(asked), Asked(form).whole("as_of")
        if asked.errors or arrival is None:
            return Chosen(())
        return AllMatching(wanted, arrival)
    ticked = [_ticked(value) for value in form.getlist("item")[:MOST_CHOSEN]]
    return Chosen(tuple(one for one in ticked if one is not None))


def _ticked(value: str) -> tuple[int, int | None] | None:
    """An item's id, with the version that was shown when there is one: "12" or "12.3"."""
    number, _dot, version = value.partition(".")
    if not (number.isascii() and number.isdigit() and len(number) < 19):  # noqa: PLR2004 - 64 bits
        return None
    known = version.isascii() and version.isdigit() and len(version) < 10  # noqa: PLR2004 - 32 bits
    return int(number), int(version) if known else None


def chosen_words(chosen: Selection, count: int) -> str:
    """Whom an act concerns, with the number."""
    if isinstance(chosen, AllMatching):
        told = ngettext(
            "The {count} item that matches the filters",
            "All {count} items that match the filters",
            count,
        )
    else:
        told = ngettext("{count} chosen item", "{count} chosen items", count)
    return told.format(count=f"{count:,}")
