"""A report type's mapping, changed in the browser: tried on what lies aside before it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import available_timezones

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from muhafiz.feeds import queries, trial
from muhafiz.feeds.actions.feeds import change_mapping, options_with
from muhafiz.feeds.actions.samples import would_differ
from muhafiz.feeds.columns.mapping import CONSTANT, SEVERITIES, BadMapping
from muhafiz.feeds.facts import SetAsideChoice, SetAsideFacts
from muhafiz.feeds.rules import BadFeed, RawMissing
from muhafiz.formats.rsit import CLASSES
from muhafiz.web.desk.words import COLUMNS
from muhafiz.web.refusals import sentence
from muhafiz.web.viewer import ViewedRequest

_SHOWN = 12
_MOST_RULES = 50
_SPARE_RULES = 2  # empty ones below those there are
_RULE = ("field", "equals", "type", "identifier")
_CONSTANTS = sorted(CONSTANT - {"severity", "tlp"})  # these two have fields of their own
_NEAR = 7  # columns that stand in view even while nothing is mapped to them
_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
_NAMES = {sign: name for name, sign in _DELIMITERS.items()}


def mapping(request: ViewedRequest, row_id: int) -> HttpResponse:
    """The mapping that reads this row's report type, beside the row."""
    return render(request, "desk/workbench/mapping.html", _context(_row(row_id), {}))


def mapping_try(request: ViewedRequest, row_id: int) -> HttpResponse:
    """What the mapping as typed would read of all that lies aside of this type. Writes nothing."""
    row = _row(row_id)
    context = _context(row, request.POST)
    lying = SetAsideChoice(feed=row.feed, kind=row.kind)
    try:
        options = options_with(row.feed, row.kind, context["data"])
        done = trial.try_rows(lying, now=request.now, options=options)
    except (BadFeed, RawMissing, BadMapping) as refusal:
        return _refused(request, context, refusal)
    tried = sorted(done.tried, key=lambda each: (bool(each.still_reason), each.id))
    context |= {
        "trial": {"trial": done, "tried": tried[:_SHOWN], "part": done.rows < done.total},
        "differ": would_differ(row.feed, row.kind, options),
        "samples": len(queries.samples(feed=row.feed, kind=row.kind)),
    }
    return render(request, "desk/workbench/mapping.html", context)


def mapping_keep(request: ViewedRequest, row_id: int) -> HttpResponse | HttpResponseRedirect:
    """Let the mapping as typed hold from now on."""
    row = _row(row_id)
    context = _context(row, request.POST)
    try:
        change_mapping(
            name=row.feed,
            kind=row.kind,
            data=context["data"],
            actor=request.viewer,
            now=request.now,
        )
    except BadFeed as refusal:
        return _refused(request, context, refusal)
    messages.success(
        request, _("The mapping holds from now on. Read the rows again to take them in.")
    )
    query = QueryDict(mutable=True)
    query.update({"feed": row.feed, "kind": row.kind})
    return redirect(f"{reverse('set-aside-group')}?{query.urlencode()}")


def _refused(request: ViewedRequest, context: dict[str, Any], refusal: Any) -> HttpResponse:
    context["error"] = sentence(refusal)
    return render(request, "desk/workbench/mapping.html", context, status=400)


def _row(row_id: int) -> SetAsideFacts:
    found = queries.set_aside_row(row_id)
    if found is None:
        raise Http404
    return found


def _context(row: SetAsideFacts, typed: Mapping[str, Any]) -> dict[str, Any]:
    view = trial.view_row(row)
    found = trial.mapping_for(row, view.head)
    if found is None:
        raise Http404
    current, delimited = found
    data = _read(current, typed, delimited=delimited) if typed else current
    names = data.get("map", {})
    near = {*COLUMNS[:_NEAR], *names}
    return {
        "row": row,
        "view": view,
        "data": data,
        "delimited": delimited,
        "columns": [(name, ", ".join(names.get(name, ()))) for name in COLUMNS if name in near],
        "further": [(name, "") for name in COLUMNS if name not in near],
        "header": ", ".join(data.get("header", ())),
        "drop": ", ".join(data.get("drop", ())),
        "time_format": "\n".join(data.get("time_format", ())),
        "zones": sorted(available_timezones()),
        "delimiter": _NAMES.get(data.get("delimiter", ","), "comma"),
        "delimiters": [("comma", _("Comma")), ("semicolon", _("Semicolon")), ("tab", _("Tab")),
                       ("pipe", _("Upright stroke"))],
        "types": CLASSES,
        "severities": SEVERITIES,
        "rules": _rules_shown(data.get("when", ())),
        "constants": [(name, data.get("constants", {}).get(name, "")) for name in _CONSTANTS],
        "fields": [cell.name for cell in view.cells if cell.name],
        "here": "mapping",
    }  # fmt: skip


def _read(
    current: Mapping[str, Any], typed: Mapping[str, Any], *, delimited: bool
) -> dict[str, Any]:
    """The mapping as typed; what the form does not show stays as it was."""
    before = current.get("map", {})
    columns = {name: _listed(typed.get(f"map-{name}", "")) for name in COLUMNS}
    data = {
        **current,
        "type": typed.get("type", "").strip(),
        "identifier": typed.get("identifier", "").strip(),
        "severity": typed.get("severity", "").strip(),
        "drop": _listed(typed.get("drop", "")),
        "time_format": [form.strip() for form in typed.get("time_format", "").splitlines()],
        "time_zone": typed.get("time_zone", "").strip(),
        "map": {name: names for name, names in columns.items() if names or before.get(name)},
    }
    if any(name.startswith("constant-") for name in typed):
        data["constants"] = _constants(typed)
    if "when-0-field" in typed:
        data["when"] = _rules(typed)
    if delimited:
        data["header"] = _listed(typed.get("header", ""))
        data["delimiter"] = _DELIMITERS.get(typed.get("delimiter", ""), ",")
        data["comment"] = typed.get("comment", "").strip()
    data["time_format"] = [form for form in data["time_format"] if form]
    return {key: value for key, value in data.items() if value not in ("", [], {})}


def _constants(typed: Mapping[str, Any]) -> dict[str, str]:
    told = {name: typed.get(f"constant-{name}", "").strip() for name in _CONSTANTS}
    return {name: text for name, text in told.items() if text}


def _rules(typed: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rules as typed. An empty line is none; one half filled is for the reader to refuse."""
    found: list[dict[str, Any]] = []
    for number in range(_MOST_RULES):
        rule = {part: typed.get(f"when-{number}-{part}", "").strip() for part in _RULE}
        if any(rule.values()):
            told = {**rule, "equals": _listed(rule["equals"])}
            found.append({part: value for part, value in told.items() if value})
    return found


def _rules_shown(rules: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    told = [{**rule, "equals": ", ".join(rule.get("equals", ()))} for rule in rules]
    return [*told, *({} for _ in range(_SPARE_RULES))][:_MOST_RULES]


def _listed(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
