"""The shift: who is on duty, what is handed on, and the proof that it was said so."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from muhafiz.accounts.rules import may
from muhafiz.common.actor import Actor
from muhafiz.triage import duty, queries
from muhafiz.triage.actions.handover import (
    accept_shift,
    hand_over_shift,
    take_over_shift,
    withdraw_handover,
)
from muhafiz.triage.filters import Filter
from muhafiz.triage.rules import BadNote, CannotHandOver
from muhafiz.web.desk.asking import Asked
from muhafiz.web.desk.queue_words import kind_word, state_word, title
from muhafiz.web.desk.views.letters import download
from muhafiz.web.refusals import sentence
from muhafiz.web.viewer import ViewedRequest

_PAGE = 25
_SHOWN = 15
_MOST = 200  # items of a handover that its page lists; the signed bytes hold all
_OPEN = 25  # of these stand there at once, the others are unfolded
_DATES = ("since", "due")


def handovers(request: ViewedRequest) -> HttpResponse:
    """Who is on duty, the form to hand over, and the history."""
    return _page(request, {}, status=200)


def _page(request: ViewedRequest, typed: dict[str, Any], *, status: int) -> HttpResponse:
    asked = Asked(request.GET)
    rows = duty.handovers(viewer=request.viewer, before=asked.whole("before"), limit=_PAGE + 1)
    now_on, waiting = duty.on_duty(), duty.pending()
    me = request.viewer.identifier
    allowed = may(request.viewer, "shift.hand_over")
    running = queries.items(Filter(), viewer=request.viewer, now=request.now, limit=_SHOWN)
    tabs = {"open": Filter(), "overdue": Filter(overdue=True), "mine": Filter(owner="me")}
    context = {
        "rows": rows[:_PAGE],
        "more": rows[_PAGE - 1].id if len(rows) > _PAGE else None,
        "now_on": now_on,
        "waiting": waiting,
        "for_me": allowed and waiting is not None and str(waiting.to_person) == me,
        "from_me": waiting is not None and str(waiting.from_person) == me,
        "may_hand_over": allowed and not waiting and _holds(now_on, me),
        "may_take_over": allowed and not (now_on is not None and str(now_on.to_person) == me),
        "officers": [(str(i), name) for i, name in duty.may_take_duty() if str(i) != me],
        "running": running.rows,
        "counts": queries.counts(tabs, viewer=request.viewer, now=request.now),
        "typed": {},
        "errors": {},
        "here": "handovers",
    }
    return render(request, "desk/handover/list.html", context | typed, status=status)


def _holds(now_on: Any, me: str) -> bool:
    return now_on is None or str(now_on.to_person) == me


def hand_over(request: ViewedRequest) -> HttpResponse:
    """Offer the shift to the next officer; what was typed comes back when it is refused."""
    form = Asked(request.POST)
    note, to = request.POST.get("note", ""), form.whole("to")
    typed = {"note": note, "to": request.POST.get("to", "")}
    if to is None:
        errors = form.errors or {"to": _("Choose who comes on duty.")}
        return _page(request, {"typed": typed, "errors": errors}, status=400)
    try:
        number = hand_over_shift(note=note, to=to, actor=request.viewer, now=request.now)
    except (BadNote, CannotHandOver) as no:
        errors = {"note" if isinstance(no, BadNote) else "to": sentence(no)}
        return _page(request, {"typed": typed, "errors": errors}, status=400)
    messages.success(request, _("The handover is signed and waits for its officer."))
    return redirect("handover", number)


def duty_take(request: ViewedRequest) -> HttpResponse:
    """Come on duty without a handover, with the reason."""
    reason = request.POST.get("reason", "")
    try:
        number = take_over_shift(note=reason, actor=request.viewer, now=request.now)
    except (BadNote, CannotHandOver) as no:
        typed = {"typed": {"reason": reason}, "errors": {"reason": sentence(no)}}
        return _page(request, typed, status=400)
    messages.success(request, _("You are on duty now."))
    return redirect("handover", number)


def handover_accept(request: ViewedRequest, handover_id: int) -> HttpResponseRedirect:
    """Come on duty; the open items of the outgoing officer become one's own."""
    carried = accept_shift(handover_id=handover_id, actor=request.viewer, now=request.now)
    told = ngettext(
        "You are on duty now; {count} item came with the shift.",
        "You are on duty now; {count} items came with the shift.",
        carried,
    )
    messages.success(request, told.format(count=f"{carried:,}"))
    return redirect("queue")


def handover_withdraw(request: ViewedRequest, handover_id: int) -> HttpResponseRedirect:
    """Take back what nobody accepted yet."""
    withdraw_handover(handover_id=handover_id, actor=request.viewer, now=request.now)
    messages.success(request, _("The handover was taken back."))
    return redirect("handovers")


def handover(request: ViewedRequest, handover_id: int) -> HttpResponse:
    """One handover: the note, what stood open then, and whether the signature holds."""
    found = duty.handover(handover_id, viewer=request.viewer)
    kept = duty.signed_bytes(handover_id, viewer=request.viewer)
    if found is None or kept is None:
        raise Http404
    me = request.viewer.identifier
    allowed = may(request.viewer, "shift.hand_over")
    told = _told(kept[0])
    items = told.get("items", [])
    became = _became(items, viewer=request.viewer)
    context = {
        "handover": found,
        "told": told,
        "shown_items": items[:_OPEN],
        "folded_items": items[_OPEN:_MOST],
        "unshown": max(len(items) - _MOST, 0),
        "closed_since": None if len(items) > _MOST else became,
        "proof": duty.proof(handover_id, viewer=request.viewer),
        "signature": kept[1].hex(),
        "for_me": allowed and found.is_open and str(found.to_person) == me,
        "from_me": found.is_open and str(found.from_person) == me,
        "here": "handover",
    }
    return render(request, "desk/handover/page.html", context)


def _became(items: list[dict[str, Any]], *, viewer: Actor) -> int:
    """Tell each shown item how it stands today; how many of them are closed."""
    shown = items[:_MOST]
    today = {one.id: one for one in queries.items_by_id((i["id"] for i in shown), viewer=viewer)}
    for one in shown:
        one["today"] = today.get(one["id"])
    return sum(not one.is_open() for one in today.values())


def handover_signed(request: ViewedRequest, handover_id: int) -> HttpResponse:
    """The very bytes that were signed."""
    kept = duty.signed_bytes(handover_id, viewer=request.viewer)
    if kept is None:
        raise Http404
    return download(kept[0], f"handover-{handover_id}.txt", "text/plain")


def _told(body: bytes) -> dict[str, Any]:
    """What the signed bytes say, for people; nothing when they cannot be read any more."""
    try:
        told = duty.read_body(body)
    except ValueError:
        return {}
    for one in [*told["items"], *told["letters"], *told["feeds"]]:
        for name in (*_DATES, "handed"):
            if one.get(name):
                one[name] = parse_datetime(one[name])
    for one in told["items"]:
        one["shown_title"] = title(one["title"], one["params"])
        one["shown_kind"], one["shown_state"] = kind_word(one["kind"]), state_word(one["state"])
    return told
