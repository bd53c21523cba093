"""The queue: what waits for a person, by the clock; one item with all that is known of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from django.http import Http404, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext_lazy as _

from muhafiz.accounts.queries import SavedViewFacts, saved_views
from muhafiz.accounts.rules import may
from muhafiz.constituency.queries import organizations
from muhafiz.triage import queries
from muhafiz.triage.facts import ItemFacts, NoteFacts
from muhafiz.triage.filters import TABS, Filter
from muhafiz.web.desk import queue_words as words
from muhafiz.web.desk.asking import Asked
from muhafiz.web.desk.queue_asked import (
    asked_filter,
    asked_order,
    full_query,
    list_query,
    query_of,
    view_filters,
    view_query,
)
from muhafiz.web.labels import SEVERITIES
from muhafiz.web.parts import FilterBar, Happening, Pages, Tab, address, filter_bar
from muhafiz.web.place import sector_names
from muhafiz.web.viewer import ViewedRequest

PAGE = 25
_TAB_WORDS: dict[str, str | Promise] = {
    "mine": _("New and mine"),
    "overdue": _("Overdue"),
    "waiting": _("Waiting"),
    "open": _("Everything open"),
}
_LABELS: dict[str, str | Promise] = {
    "state": _("State"),
    "kind": _("Kind"),
    "severity": _("Severity"),
    "sector": _("Sector"),
    "organization": _("Organization"),
    "owner": _("Owner"),
    "tlp": _("TLP"),
    "overdue": _("Target"),
    "like": _("Like"),
    "q": _("Text"),
}


def queue(request: ViewedRequest) -> HttpResponse:
    """The list, and beside it what its first or last visited item says."""
    asked = Asked(request.GET)
    wanted, order = asked_filter(asked), asked_order(asked)
    after, before, at = asked.whole("after"), asked.whole("before"), asked.whole("item")
    page = queries.items(
        wanted, viewer=request.viewer, now=request.now, order=order, after=after, before=before,
        limit=PAGE,
    )  # fmt: skip
    if not page.rows and (after or before):
        return HttpResponseRedirect(reverse("queue") + address(request.GET))
    query = full_query(request.GET, wanted)
    here = _here(request, page.rows, at, wanted)
    context = {
        "page": page,
        "wanted": wanted,
        "query": query_of(wanted),
        "bar": _bar(query, asked, request),
        "pages": _pages(request.GET, page.before, page.after),
        "arrival": queries.latest_arrival(),
        "chosen_row": here,
        "asked": asked,
        "mistakes": {n: f"{_LABELS.get(n, n)}: {text}" for n, text in asked.errors.items()},
        "list_query": list_query(request.GET, wanted),
        "group_address": address(query, group=None if request.GET.get("group") else "yes"),
        "sector_words": sector_names(request.now),
        "here": "queue",
        **_makeup(request, wanted, query),
        **_tabs(request, wanted),
        **_choices(request),
    }
    if request.GET.get("group") == "yes":
        context["groups"] = queries.groups(wanted, viewer=request.viewer, now=request.now)
    shown = next((row for row in page.rows if row.id == here), None) or next(iter(page.rows), None)
    context |= about(shown, request) | {"act_next": request.get_full_path()} if shown else {}
    return render(request, "desk/queue/list.html", context, status=asked.status)


def queue_counts(request: ViewedRequest) -> HttpResponse:
    """The tabs anew, and how many items came since the page was drawn."""
    asked = Asked(request.GET)
    wanted, seen = asked_filter(asked), asked.whole("as_of")
    context = {**_tabs(request, wanted), "arrival": seen, "query": query_of(wanted), "fresh": 0}
    if seen is not None:
        found = queries.matching(wanted, viewer=request.viewer, now=request.now)
        context["fresh"] = found.filter(arrival__gt=seen).count()
    return render(request, "desk/queue/tabs.html", context)


def queue_item(request: ViewedRequest, item_id: int) -> HttpResponse:
    """One item: what it is about, what was done, what is like it."""
    found = _item(request, item_id)
    return render(request, "desk/queue/item.html", item_context(request, found))


def queue_preview(request: ViewedRequest, item_id: int) -> HttpResponse:
    """The same in short, beside the list."""
    found = _item(request, item_id)
    return render(request, "desk/queue/preview.html", about(found, request) | _beside(request))


def _beside(request: ViewedRequest) -> dict[str, str]:
    """The list that a preview stands beside: an act leads back to its filters and its place."""
    told = urlsplit(request.headers.get("HX-Current-URL", ""))
    if told.netloc != request.get_host() or told.path != reverse("queue"):
        return {"act_next": "", "list_query": ""}
    asked = QueryDict(told.query)
    return {
        "act_next": urlunsplit(("", "", told.path, told.query, "")),
        "list_query": list_query(asked, asked_filter(Asked(asked))),
    }


def _list_of(query: str, item_id: int) -> str:
    """The address of the list that an item's page was opened from, standing on that item."""
    asked = QueryDict(query[:2_000], mutable=True)
    asked["item"] = str(item_id)
    return f"{reverse('queue')}?{asked.urlencode()}"


def item_context(request: ViewedRequest, found: ItemFacts) -> dict[str, Any]:
    """What the page of an item shows. An act leads back to the list that one came from."""
    listed = request.POST.get("list") or request.GET.get("list") or ""
    back = _list_of(listed, found.id)
    return {
        **about(found, request),
        "list": listed,
        "back": back,
        "act_next": back if listed else reverse("queue-item", args=[found.id]),
        "beside": queries.of_organization(found, viewer=request.viewer),
        "here": "queue-item",
    }


def about(found: ItemFacts, request: ViewedRequest) -> dict[str, Any]:
    """What preview and page both say of an item."""
    alike, number_alike = queries.alike(found, viewer=request.viewer)
    lines = queries.history(found.id, viewer=request.viewer)
    return {
        "item": found,
        "subject": subject_address(found),
        "sector": sector_names(request.now).get(found.sector, found.sector),
        "alike": alike,
        "number_alike": number_alike,
        "happenings": [*(_happening(line) for line in lines), *_beginning(found)],
        "may_work": may(request.viewer, "queue.work"),
        "mine": str(found.owner) == request.viewer.identifier,
    }


def subject_address(found: ItemFacts) -> str:
    """Where the thing itself stands; empty when its page is gone."""
    try:
        path = reverse(found.route, kwargs=dict(found.route_args)) if found.route else ""
    except NoReverseMatch:
        return ""
    return f"{path}?{urlencode(found.route_query)}" if found.route_query and path else path


def _item(request: ViewedRequest, item_id: int) -> ItemFacts:
    found = queries.item(item_id, viewer=request.viewer)
    if found is None:
        raise Http404
    return found


def _happening(line: NoteFacts) -> Happening:
    """A line of the history, as the timeline shows it."""
    word = str(words.HISTORY.get(line.act, line.act)).format(whom=line.whom)
    reasons: Mapping[str, str | Promise] = {**words.REASONS, **words.WAITS_FOR}
    if line.reason:
        word = f"{word}: {reasons.get(line.reason, line.reason)}"
    looks = {"close": "good", "over": "good", "wait": "wait", "came-back": "bad"}
    return Happening(word, line.at, line.text, line.by_name, look=looks.get(line.act, ""))


def _beginning(found: ItemFacts) -> list[Happening]:
    told = [Happening(_("Came into the queue"), found.arrived_at)]
    if found.since < found.arrived_at:
        told.append(Happening(_("It lasts since then"), found.since))
    return told


def _here(
    request: ViewedRequest, rows: tuple[ItemFacts, ...], at: int | None, wanted: Filter
) -> int | None:
    """The row to stand on after an act: the same, the one that followed it, else the last."""
    if at is None or not rows:
        return None
    order = asked_order(Asked(request.GET))
    near = queries.row_near(at, wanted, viewer=request.viewer, now=request.now, order=order)
    return near if near in {row.id for row in rows} else rows[-1].id


def _makeup(request: ViewedRequest, wanted: Filter, query: QueryDict) -> dict[str, Any]:
    """Of which kinds the items are, each a way to them alone; and how many problems there are.

    One kind alone needs no way to itself.
    """
    parts = queries.makeup(wanted, viewer=request.viewer, now=request.now)
    known = list(words.KINDS)
    parts = tuple(
        sorted(parts, key=lambda part: known.index(part.kind) if part.kind in known else 0)
    )
    chosen = [part for part in parts if wanted.kind in {"", part.kind}]
    ways = [
        (part, address(query, kind=None if part.kind == wanted.kind else part.kind))
        for part in parts
    ]
    return {
        "makeup": ways if len(parts) > 1 else [],
        "number_of_groups": sum(part.groups for part in chosen),
    }


def _tabs(request: ViewedRequest, wanted: Filter) -> dict[str, Any]:
    """The queue's own views and those that people saved, each with its count; and the total."""
    views = saved_views("queue", request.viewer)
    saved = view_filters(views)
    asked = {**TABS, **saved, "here": wanted}
    counts = queries.counts(
        asked, viewer=request.viewer, now=request.now,
        open_only=all(one.state != "closed" for one in asked.values()),
    )  # fmt: skip
    ways = _ways(request, wanted, views, saved)
    return {
        "tabs": [
            Tab(
                f"{reverse('queue')}?{query}",
                word,
                counts[code],
                here=here,
                grave=code == "overdue" and counts[code] > 0,
            )
            for code, word, query, here in ways
        ],
        "total": counts["here"],
        "own_views": [view for view in views if view.mine],
        "view_query": view_query(request.GET, wanted),
    }


def _ways(
    request: ViewedRequest,
    wanted: Filter,
    views: list[SavedViewFacts],
    saved: Mapping[str, Filter],
) -> list[tuple[str, str | Promise, str, bool]]:
    """Each tab's code, word, query and whether it is the one in force. A view keeps its order."""
    present = view_query(request.GET, wanted)
    kept = [
        (code, view.name, view_query(QueryDict(view.query), saved[code]))
        for view in views
        if (code := f"view-{view.id}") in saved
    ]
    in_view = any(query == present for _code, _word, query in kept)
    return [
        *(
            (code, word, query_of(TABS[code]), TABS[code] == wanted and not in_view)
            for code, word in _TAB_WORDS.items()
        ),
        *((code, word, query, query == present) for code, word, query in kept),
    ]


def _bar(query: QueryDict, asked: Asked, request: ViewedRequest) -> FilterBar:
    """The filters in force as pills."""
    officers = dict(queries.officers())
    sectors = sector_names(request.now)
    said: dict[str, Callable[[str], str | Promise]] = {
        "state": words.state_word,
        "kind": words.kind_word,
        "severity": lambda code: _at_least(str(SEVERITIES[code][0])),
        "sector": lambda code: str(sectors.get(code, code)),
        "owner": lambda code: words.owner_word(code, officers),
        "organization": _organization_word,
        "overdue": lambda _code: str(_TAB_WORDS["overdue"]),
    }
    return filter_bar(query, _LABELS, words=said, codes=("tlp", "like"), errors=asked.errors)


def _organization_word(code: str) -> str:
    """An organization's name for its number, as far as the number names one."""
    found = organizations([int(code)]) if code.isdigit() else {}
    owner = found.get(int(code)) if found else None
    return owner.name(get_language() or "en") if owner else code


def _at_least(word: str) -> str:
    return str(_("{severity} or worse")).format(severity=word)


def _choices(request: ViewedRequest) -> dict[str, Any]:
    """What the filters' form offers."""
    found = queries.choices(viewer=request.viewer)
    sectors = sector_names(request.now)
    return {
        "kinds": [(code, words.kind_word(code)) for code in found["kinds"]],
        "sectors": [(code, sectors.get(code, code)) for code in found["sectors"]],
        "tlps": found["tlps"],
        "severities": [(code, _at_least(str(word))) for code, (word, _rank) in SEVERITIES.items()],
        "states": [(code, word) for code, (word, _look) in words.STATES.items()],
        "owners": [*words.OWNERS.items(), *((str(i), n) for i, n in queries.officers())],
    }


def _pages(query: QueryDict, before: int | None, after: int | None) -> Pages:
    return Pages(
        first=address(query) if before else "",
        newer=address(query, before=before) if before else "",
        older=address(query, after=after) if after else "",
    )


def told_total(total: int) -> str:
    """How many items match, for the bar."""
    return ngettext("{count} item", "{count} items", total).format(count=f"{total:,}")
