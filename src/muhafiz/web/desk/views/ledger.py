"""Who has which fact: the ledger of the one door out."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from muhafiz.publications.queries import release_of
from muhafiz.release.queries import LedgerRow, decision, decisions, holders_of
from muhafiz.web.desk.asking import Asked
from muhafiz.web.parts import filter_bar, pages, tabs
from muhafiz.web.viewer import ViewedRequest

_PAGE = 50
_LABELS = {"text": gettext_lazy("Number, checksum or name")}


def ledger(request: ViewedRequest) -> HttpResponse:
    """What was given to whom, what was refused, what was called back.

    A document's number or verify code finds everybody who has what it tells.
    """
    asked = Asked(request.GET)
    text = asked.text("text")
    state = asked.choice("state", ("given", "refused", "recalled"))
    rows = decisions(
        text,
        refused=None if not state else state == "refused",
        recalled=state == "recalled",
        before=asked.whole("before"),
        limit=_PAGE + 1,
    )
    words = {"": _("All"), "given": _("Given"), "refused": _("Refused"), "recalled": _("Recalled")}
    context = {
        "rows": rows[:_PAGE],
        "holders": _holders(text),
        "pages": pages(request.GET, older=rows[_PAGE - 1].id if len(rows) > _PAGE else None),
        "tabs": tabs(request.GET, "state", [(*one, None) for one in words.items()], here=state),
        "bar": filter_bar(request.GET, _LABELS, errors=asked.errors),
        "asked": asked,
        "text": text,
        "here": "ledger",
    }
    return render(request, "desk/notices/ledger.html", context, status=asked.status)


def _holders(text: str) -> list[LedgerRow]:
    """Everybody who was given what the document of this number or code tells."""
    kept = release_of(text) if text else None
    found = decision(kept) if kept is not None else None
    return holders_of(found.item_kind, found.item_identifier) if found else []
