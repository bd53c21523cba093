"""Notices: what owners are told, traced row by row; and what would be told now."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from muhafiz.constituency import queries as constituency
from muhafiz.detection import queries
from muhafiz.detection.actions.notices import send_now
from muhafiz.detection.actions.recalling import recall_notice
from muhafiz.detection.actions.resending import hold_notice, release_notice
from muhafiz.detection.facts import NoticeFacts
from muhafiz.detection.rules import is_lost
from muhafiz.jobs.actions.queue import enqueue_job
from muhafiz.notifications import queries as notifications
from muhafiz.release.queries import holders_of
from muhafiz.web.desk.asking import Asked
from muhafiz.web.labels import STATES as STATE_WORDS
from muhafiz.web.parts import Word, filter_bar, pages, tabs
from muhafiz.web.viewer import ViewedRequest

STATES = ("released", "held", "cancelled", "undeliverable", "refused")
_PAGE = 50
_ROWS = 100
_LABELS = {
    "text": gettext_lazy("Number"),
    "policy": gettext_lazy("Policy"),
    "organization": gettext_lazy("Organization"),
}


def notices(request: ViewedRequest) -> HttpResponse:
    """Notices by state, the latest first."""
    asked = Asked(request.GET)
    state = asked.choice("state", STATES)
    chosen = asked.whole("organization")
    rows = queries.notices(
        organization_id=chosen,
        state=state or None,
        policy_code=asked.text("policy") or None,
        text=asked.text("text"),
        before=asked.whole("before"),
        limit=_PAGE + 1,
    )
    shown = rows[:_PAGE]
    counts = queries.counts_by_state()
    choices: list[tuple[str, Word, int | None]] = [("", _("All"), None)]
    choices += [(code, STATE_WORDS[code][0], counts[code]) for code in STATES]
    context = {
        "rows": _with_owners(shown),
        "pages": pages(request.GET, older=shown[-1].id if len(rows) > _PAGE else None),
        "tabs": tabs(request.GET, "state", choices, here=state, grave=("undeliverable", "refused")),
        "bar": filter_bar(
            request.GET,
            _LABELS,
            words={"organization": lambda _code: _name(chosen)},
            codes=("text", "policy"),
            errors=asked.errors,
        ),
        "state": state,
        "policies": queries.policies(),
        "asked": asked,
        "here": "notices",
    }
    return render(request, "desk/notices/list.html", context, status=asked.status)


def _name(organization_id: int | None) -> str:
    found = None if organization_id is None else constituency.organization(organization_id)
    return found.name(get_language() or "en") if found else str(organization_id)


def _with_owners(rows: list[NoticeFacts]) -> list[tuple[object, object]]:
    owners = constituency.organizations(row.organization_id for row in rows)
    return [(row, owners.get(row.organization_id)) for row in rows]


def notice(request: ViewedRequest, notice_id: int) -> HttpResponse:
    """One notice: its letters, and each row traced back to where it came from."""
    found = queries.notice(notice_id)
    if found is None:
        raise Http404
    asked = Asked(request.GET)
    after = asked.whole("after", most=10**9) or 0
    traced = queries.notice_rows(notice_id, after=after, limit=_ROWS + 1)
    letters = [
        (notifications.letter(each.message_id), contact)
        for each, contact in queries.contact_versions(notice_id)
    ]
    states = [letter.state for letter, _contact in letters if letter is not None]
    context = {
        "notice": found,
        "owner": constituency.organization(found.organization_id),
        "letters": letters,
        "lost": found.state == "released" and is_lost(states),
        "holders": holders_of("notice", str(found.public_id)),
        "told_of_recall": notifications.letters_about("recall", str(found.public_id)),
        "rows": traced[:_ROWS],
        "first": after + 1,
        "last": after + len(traced[:_ROWS]),
        "pages": pages(
            request.GET, key="after", older=after + _ROWS if len(traced) > _ROWS else None
        ),
        "asked": asked,
        "here": "notice",
    }
    return render(request, "desk/notices/page.html", context, status=asked.status)


def notice_hold(request: ViewedRequest, notice_id: int) -> HttpResponseRedirect:
    """Keep a notice's letters from leaving, with the reason."""
    _there(notice_id)
    reason = request.POST.get("reason", "")
    hold_notice(notice_id=notice_id, reason=reason, actor=request.viewer, now=request.now)
    messages.success(request, _("The notice is held: its letters do not leave."))
    return redirect("notice", notice_id)


def notice_release(request: ViewedRequest, notice_id: int) -> HttpResponseRedirect:
    """Send a held notice after all, or an undeliverable one that has a contact now."""
    _there(notice_id)
    release_notice(notice_id=notice_id, actor=request.viewer, now=request.now)
    messages.success(request, _("The letter was composed and is in the outbox."))
    return redirect("notice", notice_id)


def notice_recall(request: ViewedRequest, notice_id: int) -> HttpResponseRedirect:
    """Take a notice back; everybody who was told is told so, and why."""
    _there(notice_id)
    told = recall_notice(
        notice_id=notice_id,
        reason=request.POST.get("reason", ""),
        actor=request.viewer,
        now=request.now,
    )
    words = _("The notice is withdrawn. Letters that say so: {count}.")
    messages.success(request, words.format(count=told))
    return redirect("notice", notice_id)


def _there(notice_id: int) -> None:
    if queries.notice(notice_id) is None:
        raise Http404


def notice_preview(request: ViewedRequest) -> HttpResponse:
    """Who would get what if the windows closed now. Nothing is written."""
    context = {"preview": queries.preview_notices(at=request.now), "here": "notice-preview"}
    return render(request, "desk/notices/preview.html", context)


def notice_send(request: ViewedRequest) -> HttpResponseRedirect:
    """Queue the closing of every window that is due."""
    job = enqueue_job(
        "detection.digest", {}, actor=request.viewer, now=request.now,
        unique_key="detection.digest",
    )  # fmt: skip
    messages.success(request, _("Job {job} composes the letters that are due.").format(job=job))
    return redirect("notices")


def notice_send_now(request: ViewedRequest, organization_id: int) -> HttpResponseRedirect:
    """Tell one organization at once what waits for it, without its windows and thresholds."""
    made = send_now(organization_id=organization_id, actor=request.viewer, clock=request.clock)
    messages.success(request, _("The letter was composed and is in the outbox."))
    return redirect("notice", made[0]) if len(made) == 1 else redirect("notices")
