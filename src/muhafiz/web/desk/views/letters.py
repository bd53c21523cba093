"""The outbox: every letter with its exact bytes, and those nobody is sure about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from muhafiz.audit.actions.entries import record_read
from muhafiz.detection.queries import notice_by_number
from muhafiz.notifications import queries
from muhafiz.notifications.actions.letters import (
    cancel_message,
    mend_held,
    resolve_unsure,
    retry_message,
)
from muhafiz.notifications.messages import STATES, Letter
from muhafiz.web.desk.asking import Asked
from muhafiz.web.desk.mime import Opened, opened_letter
from muhafiz.web.desk.state_tabs import state_tabs
from muhafiz.web.parts import filter_bar, pages, tabs
from muhafiz.web.viewer import ViewedRequest

_PAGE = 50


def letters(request: ViewedRequest) -> HttpResponse:
    """Letters by state, the latest first."""
    asked = Asked(request.GET)
    state = asked.choice("state", STATES)
    rows = queries.letters(
        state=next((s for s in STATES if s == state), None),
        text=asked.text("text"),
        before=_mark(asked),
        limit=_PAGE + 1,
    )
    more = rows[_PAGE - 1] if len(rows) > _PAGE else None
    context = {
        "rows": rows[:_PAGE],
        "pages": pages(
            request.GET, older=f"{more.created_at.timestamp():.6f}:{more.id}" if more else None
        ),
        "tabs": tabs(
            request.GET,
            "state",
            state_tabs(STATES, queries.counts_by_state()),
            here=state,
            grave=("unsure", "failed"),
        ),
        "bar": filter_bar(request.GET, {"text": _("Number, address or subject")}),
        "state": state,
        "asked": asked,
        "here": "letters",
    }
    return render(request, "desk/notices/letters.html", context, status=asked.status)


def _mark(asked: Asked) -> tuple[datetime, UUID] | None:
    text = asked.text("before")
    if not text:
        return None
    moment, _sign, last = text.partition(":")
    try:
        return datetime.fromtimestamp(float(moment), UTC), UUID(last)
    except (ValueError, OverflowError, OSError):
        asked.errors["before"] = _("The page mark is not one of ours.")
        return None


def letter(request: ViewedRequest, letter_id: UUID) -> HttpResponse:
    """One letter: its fate, its text as sent, its attachments."""
    found = _letter(letter_id)
    _record(request, letter_id)
    raw = queries.letter_bytes(letter_id)
    context = {
        "letter": found,
        "notice": notice_by_number(found.reference),
        "opened": opened_letter(raw) if raw is not None else None,
        "here": "letter",
    }
    return render(request, "desk/notices/letter.html", context)


def letter_raw(request: ViewedRequest, letter_id: UUID) -> HttpResponse:
    """The very bytes that leave or left, as a mail file."""
    found = _letter(letter_id)
    _record(request, letter_id)
    raw = queries.letter_bytes(letter_id)
    if raw is None:
        raise Http404
    return download(raw, f"{found.reference or found.id}.eml", "message/rfc822")


def letter_attachment(request: ViewedRequest, letter_id: UUID, number: int) -> HttpResponse:
    """One attachment of a letter, as sent."""
    opened = _opened(letter_id)
    _record(request, letter_id)
    if number >= len(opened.attachments):
        raise Http404
    part = opened.attachments[number]
    return download(part.content, part.name, "application/octet-stream")


def letter_resolve(request: ViewedRequest, letter_id: UUID) -> HttpResponseRedirect:
    """Say of an unsure letter whether it went out."""
    resolve_unsure(
        message=letter_id,
        outcome="send_again" if request.POST.get("outcome") == "send_again" else "sent",
        note=request.POST.get("note", ""),
        actor=request.viewer,
        now=request.now,
    )
    messages.success(request, _("The letter is settled."))
    if request.POST.get("next") == "unsure":
        return HttpResponseRedirect(f"{reverse('letters')}?state=unsure")
    return redirect("letter", letter_id)


def letter_act(request: ViewedRequest, letter_id: UUID) -> HttpResponseRedirect:
    """Send a failed letter again, a held one after all, or let one not leave."""
    _letter(letter_id)
    known: dict[str, Any] = {"message": letter_id, "actor": request.viewer, "now": request.now}
    act = request.POST.get("act")
    if act == "retry":
        retry_message(**known)
    elif act == "mend":
        mend_held(
            address=request.POST.get("address") or None,
            certificate=request.POST.get("certificate") or None,
            **known,
        )
    elif act == "cancel":
        cancel_message(reason=request.POST.get("reason", ""), **known)
    else:
        raise Http404
    messages.success(request, _("The letter is settled."))
    return redirect("letter", letter_id)


def download(content: bytes, name: str, media_type: str) -> HttpResponse:
    """Bytes that a browser keeps and never runs."""
    response = HttpResponse(content, content_type=media_type)
    header = content_disposition_header(as_attachment=True, filename=name)
    response["Content-Disposition"] = header or "attachment"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


def _record(request: ViewedRequest, letter_id: UUID) -> None:
    """Letters are restricted: who read one is an entry, written before it is shown."""
    with transaction.atomic():
        record_read(
            actor=request.viewer,
            now=request.now,
            action="notifications.read_letter",
            subject=f"message:{letter_id}",
        )


def _letter(letter_id: UUID) -> Letter:
    found = queries.letter(letter_id)
    if found is None:
        raise Http404
    return found


def _opened(letter_id: UUID) -> Opened:
    raw = queries.letter_bytes(letter_id)
    if raw is None:
        raise Http404
    return opened_letter(raw)
