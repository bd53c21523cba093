"""The feeds: what they should bring, what they bring, which one is silent, whose care it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import get_language_bidi
from django.utils.translation import gettext as _

from muhafiz.accounts.queries import people
from muhafiz.common.refusal import Refusal
from muhafiz.feeds import queries, trial
from muhafiz.feeds.actions.feeds import (
    acknowledge_silence,
    change_feed,
    check_options,
    check_typed,
    create_feed,
    give_feed,
)
from muhafiz.feeds.actions.fetching import TRY_JOB
from muhafiz.feeds.columns.mapping import BadMapping
from muhafiz.feeds.facts import FeedDay, FeedState
from muhafiz.feeds.guessing import guessed_options, guesses
from muhafiz.feeds.rules import TLPS, BadFeed, RawMissing
from muhafiz.feeds.sources import all_sources
from muhafiz.feeds.unpacking import CannotUnpack
from muhafiz.jobs.actions.queue import enqueue_job
from muhafiz.web.charts import Box, Drawing, Line, mirrored, stacked_bars
from muhafiz.web.desk.asking import Asked
from muhafiz.web.refusals import sentence
from muhafiz.web.viewer import ViewedRequest

_DAYS, _LONG = 14, 30
_HOURS = {"4": 4, "24": 24, "72": 72, "168": 168}
_FIELDS = ("title", "source", "tlp", "file_pattern")
_TIMES = ("fetch_every", "expected_every")  # typed in minutes


def feeds(request: ViewedRequest) -> HttpResponse:
    """Every feed with what it should bring and what it brought."""
    days = queries.feed_days(now=request.now, days=_DAYS)
    states = queries.feed_states(now=request.now)
    context = {
        "rows": [
            (each, _spark(each, days[each.name]), each.is_known(request.now)) for each in states
        ],
        "silent": queries.silent_feeds(now=request.now, known=True),
        "days": _DAYS,
        "here": "feeds",
    }
    return render(request, "desk/feeds/list.html", context)


def _spark(feed: FeedState, days: list[FeedDay]) -> Drawing:
    """Rows a day as small bars, what is expected as a line."""
    top = max([day.rows for day in days] + [feed.expected_rows_per_day or 0, 1])
    boxes = tuple(
        Box(at * 8 + 1, 24 - 24 * day.rows / top, 6, max(24 * day.rows / top, 0.5), "var(--c1)",
            f"{day.day}: {day.rows:,}")
        for at, day in enumerate(days)
    )  # fmt: skip
    wide = len(days) * 8
    lines: tuple[Line, ...] = ()
    if feed.expected_rows_per_day:
        level = 24 - 24 * feed.expected_rows_per_day / top
        lines = (Line(0, level, wide, level, "silent"),)
    drawing = Drawing(wide, 25, boxes=boxes, lines=lines)
    return mirrored(drawing) if get_language_bidi() else drawing


def feed(request: ViewedRequest, name: str) -> HttpResponse:
    """One feed: its volume, its alarm, its last reports, its options."""
    return _page(request, _state(request, name))


def feed_new(request: ViewedRequest) -> HttpResponse:
    """The form for a feed that is not there yet."""
    return _form_page(request, {"tlp": "AMBER", "options": "{}"})


def feed_make(request: ViewedRequest) -> HttpResponse:
    """Make a feed."""
    name = request.POST.get("name", "").strip()
    try:
        create_feed(name=name, actor=request.viewer, now=request.now, **_values(request.POST))
    except BadFeed as refusal:
        return _form_page(request, request.POST, error=sentence(refusal))
    messages.success(request, _("The feed is there. Its secrets are given by command."))
    return redirect("feed", name)


def _form_page(request: ViewedRequest, typed: Mapping[str, Any], error: str = "") -> HttpResponse:
    context = {
        "typed": typed,
        "sources": list(all_sources().values()),
        "labels": TLPS,
        "error": error,
        "here": "feed",
    }
    return render(request, "desk/feeds/new.html", context, status=400 if error else 200)


def feed_save(request: ViewedRequest, name: str) -> HttpResponse:
    """Try the feed's values as typed, or let them hold."""
    state = _state(request, name)
    try:
        values = _values(request.POST) | {"source": state.source}
        check_typed(state.source, values["options"], standing=state.options, actor=request.viewer)
        if request.POST.get("act") == "guess":
            return _guess(request, state)
        if request.POST.get("act") == "try":
            return _try(request, state, values["options"])
        if request.POST.get("act") == "fetch":
            check_options(state.source, values["options"])
            job = enqueue_job(
                TRY_JOB, {"feed": name, "options": values["options"]}, actor=request.viewer,
                now=request.now,
            )  # fmt: skip
            return redirect("job", job)
        del values["source"]
        change_feed(name=name, actor=request.viewer, now=request.now, **values)
    except BadFeed as refusal:
        return _page(request, state, typed=request.POST, error=sentence(refusal))
    messages.success(request, _("The feed's values were kept."))
    return redirect("feed", name)


def _try(request: ViewedRequest, state: FeedState, options: dict[str, Any]) -> HttpResponse:
    check_options(state.source, options)
    try:
        found = trial.try_options(state.name, options, now=request.now)
    except (RawMissing, BadMapping, CannotUnpack) as refusal:
        return _page(request, state, typed=request.POST, error=sentence(refusal))
    if found is None:
        error = _("There is no report yet on which the options could be tried.")
        return _page(request, state, typed=request.POST, error=error)
    return _page(request, state, typed=request.POST, tried=found)


def _guess(request: ViewedRequest, state: FeedState) -> HttpResponse:
    """The form again, its options filled in with the mapping that the last report suggests."""
    try:
        found = guessed_options(state.name)
    except (RawMissing, CannotUnpack) as refusal:
        return _page(request, state, typed=request.POST, error=sentence(refusal))
    if found is None:
        error = _("There is no report yet from which a mapping could be guessed.")
        return _page(request, state, typed=request.POST, error=error)
    typed = request.POST.dict() | {"options": _shown(found)}
    return _page(request, state, typed=typed, guessed=True)


def _values(given: Mapping[str, Any]) -> dict[str, Any]:
    """What the form holds, as the feed's values.

    Raises:
        BadFeed: the options are no JSON object, or a number is none.
    """
    values: dict[str, Any] = {name: given.get(name, "").strip() for name in _FIELDS}
    if values["tlp"] not in TLPS:
        raise BadFeed(reason=f"“{values['tlp'][:20]}” is no TLP label")
    values["title"] = values["title"] or given.get("name", "").strip()
    for name in _TIMES:
        minutes = _whole(given.get(name, ""))
        values[name] = timedelta(minutes=minutes) if minutes else None
    values["expected_rows_per_day"] = _whole(given.get("expected_rows_per_day", "")) or None
    try:
        options = json.loads(given.get("options", "") or "{}")
    except (ValueError, RecursionError) as wrong:
        raise BadFeed(reason=f"its options are no JSON: {wrong}") from wrong
    if not isinstance(options, dict):
        raise BadFeed(reason="its options are a table")
    return values | {"options": options}


def _whole(text: str) -> int:
    plain = text.strip() or "0"
    if not (plain.isascii() and plain.isdigit() and len(plain) < 10):  # noqa: PLR2004 - a database's number
        raise BadFeed(reason=f"“{plain[:20]}” is no whole number")
    return int(plain)


def feed_switch(request: ViewedRequest, name: str) -> HttpResponseRedirect:
    """Take reports of the feed again, or no longer."""
    state = _state(request, name)
    on = request.POST.get("state") == "on"
    change_feed(name=state.name, enabled=on, actor=request.viewer, now=request.now)
    told = _("The feed takes reports again.") if on else _("The feed is switched off.")
    messages.success(request, told)
    return redirect("feed", name)


def feed_give(request: ViewedRequest, name: str) -> HttpResponseRedirect:
    """Say who looks after the feed."""
    _state(request, name)
    chosen = Asked(request.POST).whole("person")
    known = {each.id: each.name for each in people() if each.organization_id is None}
    if chosen is not None and chosen not in known:
        raise Http404
    give_feed(
        name=name,
        person_id=chosen,
        owner=known[chosen] if chosen is not None else "",
        actor=request.viewer,
        now=request.now,
    )
    messages.success(request, _("The feed has its keeper."))
    return redirect("feed", name)


def feed_acknowledge(request: ViewedRequest, name: str) -> HttpResponse:
    """Say that somebody knows of the silence: it is nobody's alarm for some hours."""
    state = _state(request, name)
    hours = _HOURS.get(request.POST.get("hours", ""), 24)
    try:
        acknowledge_silence(
            name=name,
            until=request.now + timedelta(hours=hours),
            note=request.POST.get("note", ""),
            actor=request.viewer,
            now=request.now,
        )
    except Refusal as refusal:
        return _page(request, state, error=sentence(refusal))
    messages.success(request, _("The alarm rests until then."))
    return redirect("feed", name)


def _state(request: ViewedRequest, name: str) -> FeedState:
    found = queries.feed_state(name, now=request.now)
    if found is None:
        raise Http404
    return found


def _page(
    request: ViewedRequest,
    state: FeedState,
    *,
    typed: Mapping[str, Any] | None = None,
    error: str = "",
    tried: trial.OptionsTrial | None = None,
    guessed: bool = False,
) -> HttpResponse:
    days = queries.feed_days(now=request.now, days=_LONG)[state.name]
    source = all_sources().get(state.source)
    context = {
        "feed": state,
        "known": state.is_known(request.now),
        "drawing": _volume(days),
        "volume": days,
        "reports": queries.reports(feed=state.name, limit=8),
        "quarantined": queries.reports(feed=state.name, states=("quarantined",), limit=8),
        "samples": queries.samples(feed=state.name),
        "people": [each for each in people() if each.organization_id is None],
        "hours": _HOURS,
        "typed": typed or _typed(state),
        "fetches": source is not None and source.fetch is not None,
        "sources": list(all_sources().values()),
        "labels": TLPS,
        "error": error,
        "tried": tried,
        "guesses": guesses(state.source),
        "guessed": guessed,
        "here": "feed",
    }
    return render(request, "desk/feeds/page.html", context, status=400 if error else 200)


def _volume(days: list[FeedDay]) -> Drawing | None:
    if not any(day.rows for day in days):
        return None
    bands = [(_("Read"), [day.rows - day.aside for day in days]),
             (_("Set aside"), [day.aside for day in days])]  # fmt: skip
    fills = ("var(--c1)", "var(--fill-high)")
    return stacked_bars([f"{day.day:%m-%d}" for day in days], bands, height=160, fills=fills)


def _typed(state: FeedState) -> dict[str, Any]:
    def minutes(length: timedelta | None) -> int | str:
        return int(length.total_seconds() // 60) if length is not None else ""

    return {
        "title": state.title,
        "source": state.source,
        "tlp": state.tlp,
        "file_pattern": state.file_pattern,
        "fetch_every": minutes(state.fetch_every),
        "expected_every": minutes(state.expected_every),
        "expected_rows_per_day": state.expected_rows_per_day or "",
        "options": _shown(state.options),
    }


def _shown(options: Mapping[str, Any]) -> str:
    return json.dumps(options, indent=2, ensure_ascii=False, sort_keys=True)
