"""The workbench: rows that could not be read, mended one by one or by their mapping."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from muhafiz.feeds import queries, trial
from muhafiz.feeds.actions import groups, replay, samples
from muhafiz.feeds.columns.chunks import decode_row
from muhafiz.feeds.columns.mapping import BadMapping
from muhafiz.feeds.facts import SetAsideChoice, SetAsideFacts
from muhafiz.feeds.rules import CannotReplay, RawMissing
from muhafiz.web.desk.asking import Asked
from muhafiz.web.desk.raw import hex_lines
from muhafiz.web.labels import STATES
from muhafiz.web.parts import address, pages, tabs
from muhafiz.web.refusals import sentence
from muhafiz.web.viewer import ViewedRequest

ROW_STATES = ("open", "replayed", "dismissed")
_TRAITS = ("feed", "kind", "reason", "column")
_PAGE = 50
_SHOWN = 12
_ID = re.compile(r"[0-9]{1,18}", re.ASCII)


def set_aside(request: ViewedRequest) -> HttpResponse:
    """All rows set aside, grouped by what is wrong with them; and the samples kept."""
    asked = Asked(request.GET)
    state = asked.choice("state", ROW_STATES, "open")
    found = queries.set_aside_groups(state=state)
    reason = asked.text("reason")
    shown = [group for group in found if not reason or group.reason == reason]
    context = {
        "groups": [(group, group_address(group, state)) for group in shown],
        "rows_total": sum(group.rows for group in shown),
        "tabs": _state_tabs(request, state),
        "state": state,
        "samples": queries.samples(),
        "asked": asked,
        "here": "set-aside",
    }
    return render(request, "desk/workbench/groups.html", context, status=asked.status)


def _state_tabs(request: HttpRequest, state: str) -> list[Any]:
    choices = [(code if code != "open" else "", STATES[code][0], None) for code in ROW_STATES]
    return tabs(request.GET, "state", choices, here="" if state == "open" else state)


def group_address(group: Any, state: str, report: int | None = None) -> str:
    """The page of a group of rows; of one report's only where that is given."""
    query = QueryDict(mutable=True)
    for name in _TRAITS:
        query[name] = getattr(group, name)
    if state != "open":
        query["state"] = state
    if report is not None:
        query["report"] = str(report)
    return f"{reverse('set-aside-group')}?{query.urlencode()}"


def set_aside_group(request: ViewedRequest) -> HttpResponse:
    """The rows of one group; with `try`, what today's mapping would read them as."""
    asked = Asked(request.GET)
    chosen = _chosen(asked)
    after = asked.whole("after") or 0
    rows = queries.set_aside_rows(chosen, after=after, limit=_PAGE + 1)
    total, newest = queries.set_aside_extent(chosen)
    more = rows[_PAGE - 1].id if len(rows) > _PAGE else None
    context = {
        "rows": rows[:_PAGE],
        "total": total,
        "newest": newest,
        "pages": pages(request.GET, key="after", older=more),
        "chosen": chosen,
        "query": request.GET.urlencode(),
        "trial": _tried(chosen, asked, request.now) if asked.text("try") else None,
        "try_address": address(request.GET, **{"try": "1"}),
        "mapping_address": _mapping_address(rows),
        "asked": asked,
        "here": "set-aside-group",
    }
    return render(request, "desk/workbench/group.html", context, status=asked.status)


def _chosen(asked: Asked, upto: int | None = None) -> SetAsideChoice:
    feed, kind, reason, column = (
        asked.text(name) if name in asked.raw else None for name in _TRAITS
    )
    return SetAsideChoice(
        feed=feed,
        kind=kind,
        reason=reason,
        column=column,
        report_id=asked.whole("report"),
        state=asked.choice("state", ROW_STATES, "open"),
        upto=upto,
    )


def _tried(chosen: SetAsideChoice, asked: Asked, now: datetime) -> dict[str, Any] | None:
    try:
        return _told(trial.try_rows(chosen, now=now))
    except (RawMissing, BadMapping) as refusal:
        asked.errors["try"] = sentence(refusal)
        return None


def _told(done: trial.Trial) -> dict[str, Any]:
    """A trial for the page: the readable first, a dozen rows in all."""
    ordered = sorted(done.tried, key=lambda each: (bool(each.still_reason), each.id))
    return {"trial": done, "tried": ordered[:_SHOWN], "part": done.rows < done.total}


def _mapping_address(rows: list[SetAsideFacts]) -> str:
    mended = bool(rows) and trial.mapping_for(rows[0], b"") is not None
    return reverse("mapping", args=[rows[0].id]) if mended else ""


def set_aside_group_act(request: ViewedRequest) -> HttpResponseRedirect:
    """Read again, or dismiss, the ticked rows or all of the group."""
    back = _back(request)
    chosen = _meant(request)
    act = request.POST.get("act")
    if chosen is None and act == "replay":
        return _replay_ticked(request, back)
    if act == "replay" and chosen is not None:
        job = groups.queue_group_replay(chosen=chosen, actor=request.viewer, now=request.now)
        messages.success(request, _("Job {job} reads the rows again.").format(job=job))
        return redirect("job", job)
    note = request.POST.get("note", "")
    if chosen is not None:
        count = groups.dismiss_group(
            chosen=chosen, note=note, actor=request.viewer, now=request.now
        )
    else:
        count = replay.dismiss_set_aside(
            row_ids=_ticked(request), note=note, actor=request.viewer, now=request.now
        )
    told = ngettext("{count} row was dismissed.", "{count} rows were dismissed.", count)
    messages.success(request, told.format(count=count))
    return redirect(back)


def _meant(request: ViewedRequest) -> SetAsideChoice | None:
    """The whole group as the page showed it, when that was asked for."""
    if request.POST.get("scope") != "all":
        return None
    told = Asked(QueryDict(request.POST.get("query", "")).dict())
    as_of = request.POST.get("as_of", "")
    return _chosen(told, upto=int(as_of) if as_of.isdecimal() and as_of.isascii() else None)


def _ticked(request: ViewedRequest) -> list[int]:
    given = request.POST.getlist("item") + request.POST.getlist("row")
    return [int(each) for each in given if _ID.fullmatch(each)]


def _back(request: ViewedRequest) -> str:
    query = QueryDict(request.POST.get("query", ""), mutable=True)
    for name in ("try", "after"):
        query.pop(name, None)
    kept = query.urlencode()
    return f"{reverse('set-aside-group')}?{kept}" if kept else reverse("set-aside")


def _replay_ticked(request: ViewedRequest, back: str) -> HttpResponseRedirect:
    rows = queries.set_aside_by_id(_ticked(request))
    done = replay.Replayed()
    for report_id in sorted({row.report_id for row in rows}):
        mine = [row.row for row in rows if row.report_id == report_id]
        done += replay.replay_set_aside(
            report_id=report_id, rows=mine, actor=request.viewer, now=request.now
        )
    told = _("{accepted} rows were accepted, {still} are still set aside.")
    messages.success(request, told.format(accepted=done.accepted, still=done.still_open))
    if done.read_anew:
        told = _(
            "The mapping cuts their report otherwise now, so it is being read anew as a whole."
        )
        messages.info(request, told)
    return redirect(back)


def set_aside_row(request: ViewedRequest, row_id: int) -> HttpResponse:
    """One row: its bytes with the fault marked, its cells, and the ways to settle it."""
    return render(request, "desk/workbench/row.html", _row_context(_row(row_id)))


def set_aside_edit(request: ViewedRequest, row_id: int) -> HttpResponse:
    """Try the row as the person corrected it, or read it so; what is wrong is said beside it."""
    row, text = _row(row_id), request.POST.get("raw", "")
    raw = text.replace("\r\n", "\n").rstrip("\n").encode("utf-8", "surrogateescape")
    if request.POST.get("act") == "try":
        return render(request, "desk/workbench/row.html", _edited(row, text, raw, request.now))
    try:
        done = replay.edit_and_replay(row_id=row_id, raw=raw, actor=request.viewer, now=request.now)
        wrong = _("The row still cannot be read. Correct it and try again.")
    except CannotReplay as refusal:
        done, wrong = replay.Replayed(0, 1), sentence(refusal)
    if done.still_open:
        context = _row_context(_row(row_id)) | {"typed": text, "error": wrong}
        return render(request, "desk/workbench/row.html", context, status=400)
    messages.success(request, _("The corrected row was accepted."))
    return redirect("set-aside")


def _edited(row: SetAsideFacts, text: str, raw: bytes, now: datetime) -> dict[str, Any]:
    context = _row_context(row) | {"typed": text}
    if not replay.is_one_row(raw, instead_of=row.raw):
        return context | {"error": _("The row must be one line.")}
    only = SetAsideChoice(report_id=row.report_id, state=row.state, row=row.row)
    try:
        done = trial.try_rows(only, now=now, edited={row.id: raw})
    except (RawMissing, BadMapping) as refusal:
        return context | {"error": sentence(refusal)}
    return context | {"tried": done.tried[0] if done.tried else None}


def set_aside_dismiss(request: ViewedRequest) -> HttpResponseRedirect:
    """Settle the ticked rows as of no use, with the reason."""
    count = replay.dismiss_set_aside(
        row_ids=_ticked(request),
        note=request.POST.get("note", ""),
        actor=request.viewer,
        now=request.now,
    )
    told = ngettext("{count} row was dismissed.", "{count} rows were dismissed.", count)
    messages.success(request, told.format(count=count))
    return redirect("set-aside")


def sample_keep(request: ViewedRequest, row_id: int) -> HttpResponseRedirect:
    """Keep a row as a sample, as it is read today."""
    samples.keep_sample(
        row_id=row_id, note=request.POST.get("note", ""), actor=request.viewer, now=request.now
    )
    messages.success(
        request, _("The row is kept as a sample and checked whenever the mapping changes.")
    )
    return redirect("set-aside-row", row_id)


def sample_settle(request: ViewedRequest, sample_id: int) -> HttpResponseRedirect:
    """Accept what a sample is read as now, or forget it."""
    forget = request.POST.get("act") == "forget"
    act = samples.forget_sample if forget else samples.accept_sample
    act(sample_id=sample_id, actor=request.viewer, now=request.now)
    if forget:
        messages.success(request, _("The sample was removed."))
    else:
        messages.success(request, _("The new reading is what the sample must give from now on."))
    return redirect("set-aside")


def _row(row_id: int) -> SetAsideFacts:
    found = queries.set_aside_row(row_id)
    if found is None:
        raise Http404
    return found


def _row_context(row: SetAsideFacts) -> dict[str, Any]:
    bytes_now = row.raw if row.edited is None else row.edited
    view = trial.view_row(row)
    return {
        "row": row,
        "view": view,
        "hex": hex_lines(bytes_now, view.offset, len(view.fault)),
        "typed": _typed(bytes_now),
        "group_address": group_address(row, row.state),
        "mapped": any(cell.column for cell in view.cells),
        "missing": len(view.fault) == 0 and view.offset == len(bytes_now) and view.offset > 0,
        "here": "set-aside-row",
    }


def _typed(raw: bytes) -> str:
    """The row as text to be corrected, in the letters that the reader would see."""
    text = decode_row(raw)
    return (raw.decode("utf-8", "replace") if text is None else text).replace("\0", "")
