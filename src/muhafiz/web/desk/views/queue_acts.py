"""What is done with items: one, those ticked, or all that match. Every act is a plain POST."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from muhafiz.triage import queries
from muhafiz.triage.actions.bulk import move_selection, stop_bulk
from muhafiz.triage.actions.items import Moved, Order, add_note
from muhafiz.triage.filters import AllMatching, Selection
from muhafiz.triage.rules import (
    ACTS,
    REASONS,
    WAITS_FOR,
    BadNote,
    BadWait,
    CannotAssign,
    NothingChosen,
    ReasonMissing,
    number_of,
)
from muhafiz.web.addresses import asked_next
from muhafiz.web.desk import queue_words as words
from muhafiz.web.desk.asking import Asked
from muhafiz.web.desk.queue_asked import asked_selection, chosen_words
from muhafiz.web.desk.views.queue import item_context
from muhafiz.web.refusals import sentence
from muhafiz.web.viewer import ViewedRequest

_AT_ONCE = ("take", "release", "reopen")  # acts that need no further word
_TOLD = 10  # refusals told one by one above the list
_SAMPLE = 8
#: Which field of the form a refusal is about.
_FIELD = {ReasonMissing: "reason", BadWait: "until", BadNote: "text", CannotAssign: "whom"}


def queue_act(request: ViewedRequest) -> HttpResponse:
    """Do an act with what was chosen, or first ask for what it needs and state the number."""
    form = Asked(request.POST)
    act = form.choice("act", tuple(ACTS))
    chosen = asked_selection(request.POST)
    count = queries.selected_count(chosen, viewer=request.viewer, now=request.now)
    back = asked_next(request, reverse("queue"))
    if not act or not count:
        messages.error(request, sentence(NothingChosen()))
        return HttpResponseRedirect(back)
    at_once = act in _AT_ONCE and not isinstance(chosen, AllMatching)
    if not at_once and request.POST.get("confirmed") != "yes":
        return _confirm(request, act, chosen, count, form, status=200)
    order = _order(form, act)
    if form.errors:
        return _confirm(request, act, chosen, count, form, status=400)
    try:
        done = move_selection(
            chosen, order, query=_query(request, chosen), actor=request.viewer, now=request.now
        )
    except (ReasonMissing, BadWait, BadNote, CannotAssign) as no:
        form.errors[_FIELD[type(no)]] = sentence(no)
        return _confirm(request, act, chosen, count, form, status=400)
    if isinstance(done, int):
        return redirect("queue-run", done)
    _tell(request, act, done)
    touched = [*done.done, *(each for each, _no in done.refused)]
    return HttpResponseRedirect(_same_row(back, touched))


def _query(request: ViewedRequest, chosen: Selection) -> str:
    return request.POST.get("query", "")[:2000] if isinstance(chosen, AllMatching) else ""


def _order(form: Asked, act: str) -> Order:
    """The order that a form spells; what cannot be read is among the form's errors."""
    reasons = {"close": REASONS, "wait": WAITS_FOR}.get(act, ())
    return Order(
        act=next(known for known in ACTS if known == act),
        reason=form.choice("reason", reasons) if reasons else "",
        text=form.raw.get("text", ""),
        whom=form.whole("whom") if act == "assign" else None,
        until=_moment(form) if act == "wait" else None,
    )


def _moment(form: Asked) -> datetime | None:
    """The field "until": a day and time in national time; None when empty or wrong."""
    text = form.text("until")
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        form.errors["until"] = _("This is no time. Write it like 2026-11-23T14:30.")
        return None
    return found if found.tzinfo else found.replace(tzinfo=timezone.get_current_timezone())


def _confirm(
    request: ViewedRequest, act: str, chosen: Selection, count: int, form: Asked, *, status: int
) -> HttpResponse:
    """The page that states the number and asks for reason, officer or time."""
    shown = queries.selected(chosen, viewer=request.viewer, now=request.now)[:_SAMPLE]
    context: dict[str, Any] = {
        "act": act,
        "count": count,
        "whom": chosen_words(chosen, count),
        "all_matching": isinstance(chosen, AllMatching),
        "sample": queries.items_by_id(shown, viewer=request.viewer),
        "more": max(count - len(shown), 0),
        "posted": request.POST,
        "items": [] if isinstance(chosen, AllMatching) else request.POST.getlist("item"),
        "asked": form,
        "reasons": [(code, words.REASONS[code]) for code in REASONS],
        "wait_choices": [(code, words.WAITS_FOR[code]) for code in WAITS_FOR],
        "officers": [(str(one), name) for one, name in queries.officers()],
        "next": asked_next(request, reverse("queue")),
        "here": "queue",
    }
    return render(request, "desk/queue/confirm.html", context, status=status)


def _tell(request: ViewedRequest, act: str, done: Moved) -> None:
    """Say what was done, and of each refused item why."""
    if done.done:
        messages.success(request, _done_words(act, len(done.done)))
    for _identifier, no in done.refused[:_TOLD]:
        messages.error(request, sentence(no))
    if len(done.refused) > _TOLD:
        rest = len(done.refused) - _TOLD
        told = ngettext("And {count} more.", "And {count} more.", rest)
        messages.error(request, told.format(count=rest))


def _done_words(act: str, count: int) -> str:
    told = {
        "take": ngettext("{count} item taken.", "{count} items taken.", count),
        "release": ngettext("{count} item put back.", "{count} items put back.", count),
        "assign": ngettext("{count} item assigned.", "{count} items assigned.", count),
        "wait": ngettext("{count} item set waiting.", "{count} items set waiting.", count),
        "close": ngettext("{count} item closed.", "{count} items closed.", count),
        "reopen": ngettext("{count} item opened again.", "{count} items opened again.", count),
    }
    return told[act].format(count=f"{count:,}")


def _same_row(back: str, items: list[int]) -> str:
    """The list's address with the row to stand on; other pages as they are."""
    parts = urlsplit(back)
    if parts.path != reverse("queue") or not items:
        return back
    query = QueryDict(parts.query, mutable=True)
    query["item"] = str(items[-1])
    return f"{parts.path}?{query.urlencode()}"


def queue_note(request: ViewedRequest, item_id: int) -> HttpResponse:
    """Write about an item; a refused note comes back as it was typed."""
    found = queries.item(item_id, viewer=request.viewer)
    if found is None:
        raise Http404
    text = request.POST.get("text", "")
    try:
        add_note(item_id=item_id, text=text, actor=request.viewer, now=request.now)
    except BadNote as no:
        context = item_context(request, found) | {"typed": text, "errors": {"text": sentence(no)}}
        return render(request, "desk/queue/item.html", context, status=400)
    messages.success(request, _("The note is kept."))
    return redirect(reverse("queue-item", args=[item_id]) + "#history")


def queue_run(request: ViewedRequest, run_id: int) -> HttpResponse:
    """How far a bulk run has come, and what it could not do; one may leave it."""
    return render(request, "desk/queue/run.html", _run_context(request, run_id))


def queue_run_live(request: ViewedRequest, run_id: int) -> HttpResponse:
    """The part of it that asks for itself anew."""
    return render(request, "desk/queue/run_live.html", _run_context(request, run_id))


def queue_run_stop(request: ViewedRequest, run_id: int) -> HttpResponse:
    """Stop after the present portion."""
    stop_bulk(run_id=run_id, actor=request.viewer, now=request.now)
    return redirect("queue-run", run_id)


def queue_runs(request: ViewedRequest) -> HttpResponse:
    """Bulk runs, the latest first: how to come back to one that was left."""
    context = {"runs": queries.runs(viewer=request.viewer), "here": "queue-runs"}
    return render(request, "desk/queue/runs.html", context)


def _run_context(request: ViewedRequest, run_id: int) -> dict[str, Any]:
    run = queries.run(run_id, viewer=request.viewer)
    if run is None:
        raise Http404
    after = Asked(request.GET).whole("after") or 0
    found = queries.failures(run_id, viewer=request.viewer, after=after)
    return {
        "run": run,
        "failures": [
            (one.item_id, number_of(one.item_id), _(one.text).format(**one.params)) for one in found
        ],
        "more": found[-1].item_id if len(found) == 100 else None,  # noqa: PLR2004 - a page of failures
        "here": "queue-run",
    }
