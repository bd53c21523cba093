"""Notices received, with the very bytes that were mailed."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language

from muhafiz.detection.facts import NoticeFacts
from muhafiz.detection.own_notices import own_notice, own_notices
from muhafiz.notifications import queries as notifications
from muhafiz.web.asking import Asked
from muhafiz.web.files import download
from muhafiz.web.mime import opened_letter
from muhafiz.web.parts import pages
from muhafiz.web.plain_words import plain
from muhafiz.web.portal.scope import scope_of
from muhafiz.web.portal.views.findings import record
from muhafiz.web.viewer import ViewedRequest

_PAGE = 30


def notices(request: ViewedRequest) -> HttpResponse:
    """Notices, the latest first."""
    asked = Asked(request.GET)
    scope = scope_of(request, asked)
    found = own_notices(
        viewer=request.viewer,
        organization_ids=scope.ids,
        before=asked.whole("before"),
        limit=_PAGE + 1,
    )
    older = found[_PAGE - 1].id if len(found) > _PAGE else None
    context = {
        "rows": [
            (each, told_classes(each), scope.parts.get(each.organization_id))
            for each in found[:_PAGE]
        ],
        "scope": scope,
        "pages": pages(request.GET, older=older),
        "here": "portal-notices",
    }
    return render(request, "portal/notices/list.html", context, status=asked.status)


def told_classes(notice: NoticeFacts) -> list[tuple[str, int]]:
    """What it tells, in the reader's language, with the number of events."""
    language = get_language() or "en"
    return [
        (plain(name.partition("/")[2], "", language).name, events)
        for name, events in sorted(notice.classes.items(), key=lambda each: -each[1])
    ]


def _known(request: ViewedRequest, notice_id: UUID) -> NoticeFacts:
    found = own_notice(notice_id, viewer=request.viewer)
    if found is None:
        raise Http404
    return found


def notice(request: ViewedRequest, notice_id: UUID) -> HttpResponse:
    """One notice and its letters as they were sent."""
    found = _known(request, notice_id)
    record(request, "notifications.read_notice", f"notice:{found.number}", {})
    letters = []
    for each in found.letters:
        letter = notifications.letter(each.message_id)
        raw = notifications.letter_bytes(each.message_id)
        if letter is not None:
            letters.append((letter, opened_letter(raw) if raw is not None else None))
    context = {
        "notice": found,
        "classes": told_classes(found),
        "part": scope_of(request).parts.get(found.organization_id),
        "letters": letters,
        "here": "portal-notice",
    }
    return render(request, "portal/notices/page.html", context)


def letter_raw(request: ViewedRequest, notice_id: UUID, letter_id: UUID) -> HttpResponse:
    """The very bytes that were mailed; encrypted ones stay encrypted."""
    found, raw = _bytes(request, notice_id, letter_id)
    return download(raw, f"{found.number}.eml", "message/rfc822")


def letter_attachment(
    request: ViewedRequest, notice_id: UUID, letter_id: UUID, place: int
) -> HttpResponse:
    """One attachment, byte for byte as it was mailed."""
    _found, raw = _bytes(request, notice_id, letter_id)
    attachments = opened_letter(raw).attachments
    if place >= len(attachments):
        raise Http404
    part = attachments[place]
    return download(part.content, part.name, "application/octet-stream")


def _bytes(request: ViewedRequest, notice_id: UUID, letter_id: UUID) -> tuple[NoticeFacts, bytes]:
    """A letter that belongs to the notice, which belongs to the viewer; its reading is noted.

    Raises:
        Http404: one of them is not so, or the bytes are past their time of keeping.
    """
    found = _known(request, notice_id)
    if letter_id not in {each.message_id for each in found.letters}:
        raise Http404
    raw = notifications.letter_bytes(letter_id)
    if raw is None:
        raise Http404
    record(
        request, "notifications.read_letter", f"notice:{found.number}", {"letter": str(letter_id)}
    )
    return found, raw
