"""What is done with items: one, those ticked, or all that match. Every act is a plain POST."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit

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
_IN_ADDRESS = 60  # items that the address of a confirmation names; more stand in its form alone
_SAMPLE = 8
#: Which field of the form a refusal is about.
_FIELD = {ReasonMissing: "reason", BadWait: "until", BadNote: "text", CannotAssign: "whom"}


def queue_act(request: ViewedRequest) -> HttpResponse:
    """Do an act with what was chosen, or first ask for what it needs."""
    asked = _what(request, request.POST)
    if asked is None:
        return _nothing_chosen(request)
    at_once = asked.act in _AT_ONCE and not isinstance(asked.chosen, AllMatching)
    if not at_once and request.POST.get("confirmed") != "yes":
        return _ask_first(request, asked)
    order = _order(asked.form, asked.act)
    if asked.form.errors:
        return _confirm(request, asked, status=400)
    try:
        done = move_selection(
            asked.chosen, order, query=_query(request, asked.chosen),
            actor=request.viewer, now=request.now,
        )  # fmt: skip
    except (ReasonMissing, BadWait, BadNote, CannotAssign) as no:
        asked.form.errors[_field(no, order)] = sentence(no)
        return _confirm(request, asked, status=400)
    return redirect("queue-run", done) if isinstance(done, int) else _over(request, asked, done)


def _field(no: ReasonMissing | BadWait | BadNote | CannotAssign, order: Order) -> str:
    """The field that a refusal is about: of a reason, the half that is missing."""
    return "text" if isinstance(no, ReasonMissing) and order.reason else _FIELD[type(no)]


def _over(request: ViewedRequest, asked: _What, done: Moved) -> HttpResponse:
    """Back to the list, on the same row; when nothing was done, to what was typed for it."""
    _tell(request, asked.act, done)
    if request.POST.get("text") and not done.done:
        return _confirm(request, asked, status=HTTPStatus.CONFLICT)
    touched = [*done.done, *(each for each, _no in done.refused)]
    return HttpResponseRedirect(_same_row(asked.back, touched))


def queue_confirm(request: ViewedRequest) -> HttpResponse:
    """The page that asks for it, with an address: it can be reloaded, and one can come back."""
    asked = _what(request, request.GET)
    return _nothing_chosen(request) if asked is None else _confirm(request, asked, status=200)


@dataclass(frozen=True, slots=True)
class _What:
    """What an officer wants done with what, and where they come from."""

    act: str
    chosen: Selection
    count: int
    form: Asked
    posted: QueryDict
    back: str


def _what(request: ViewedRequest, posted: QueryDict) -> _What | None:
    """The same as a form or an address spells it; None when it makes no sense."""
    form = Asked(posted)
    act, chosen = form.choice("act", tuple(ACTS)), asked_selection(posted)
    count = queries.selected_count(chosen, viewer=request.viewer, now=request.now)
    back = asked_next(request, reverse("queue"))
    return _What(act, chosen, count, form, posted, back) if act and count else None


def _nothing_chosen(request: ViewedRequest) -> HttpResponse:
    messages.error(request, sentence(NothingChosen()))
    return HttpResponseRedirect(asked_next(request, reverse("queue")))


def _ask_first(request: ViewedRequest, asked: _What) -> HttpResponse:
    """To the page of confirmation; what is too long for an address is asked for at once."""
    if not isinstance(asked.chosen, AllMatching) and asked.count > _IN_ADDRESS:
        return _confirm(request, asked, status=200)
    query = QueryDict(mutable=True)
    for name in ("act", "scope", "query", "as_of", "next"):
        if value := asked.posted.get(name):
            query[name] = value
    if not isinstance(asked.chosen, AllMatching):
        query.pop("scope", None)
        query.pop("query", None)
        query.pop("as_of", None)
        query.setlist("item", asked.posted.getlist("item"))
    return HttpResponseRedirect(f"{reverse('queue-confirm')}?{query.urlencode()}")


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


def _confirm(request: ViewedRequest, asked: _What, *, status: int) -> HttpResponse:
    """The page that states the number and asks for reason, officer or time."""
    chosen, count = asked.chosen, asked.count
    shown = queries.selected(chosen, viewer=request.viewer, now=request.now)[:_SAMPLE]
    context: dict[str, Any] = {
        "act": asked.act,
        "count": count,
        "whom": chosen_words(chosen, count),
        "all_matching": isinstance(chosen, AllMatching),
        "sample": queries.items_by_id(shown, viewer=request.viewer),
        "more": max(count - len(shown), 0),
        "posted": asked.posted,
        "items": _ticked_now(request, chosen, anew=status == HTTPStatus.CONFLICT),
        "keep_as": _keep_as(asked),
        "asked": asked.form,
        "reasons": [(code, words.REASONS[code]) for code in REASONS],
        "wait_choices": [(code, words.WAITS_FOR[code]) for code in WAITS_FOR],
        "officers": [(str(one), name) for one, name in queries.officers()],
        "next": asked.back,
        "here": "queue",
    }
    return render(request, "desk/queue/confirm.html", context, status=status)


def _ticked_now(request: ViewedRequest, chosen: Selection, *, anew: bool) -> list[str]:
    """The items as the form names them; `anew`: in the version that is shown now."""
    if isinstance(chosen, AllMatching):
        return []
    seen = dict(chosen.items)
    if anew:
        found = queries.items_by_id(seen, viewer=request.viewer)
        seen |= {each.id: each.version for each in found}
    return [
        f"{each}.{version}" if version is not None else str(each) for each, version in seen.items()
    ]


def _keep_as(asked: _What) -> str:
    """Under what the browser keeps what is typed: another choice of items is another text."""
    if isinstance(asked.chosen, AllMatching):
        return f"{asked.act}:{asked.posted.get('query', '')}"
    return f"{asked.act}:{','.join(str(each) for each, _seen in asked.chosen.items)}"


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
    listed = request.POST.get("list")
    query = f"?{urlencode({'list': listed})}" if listed else ""
    return redirect(f"{reverse('queue-item', args=[item_id])}{query}#history")


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
