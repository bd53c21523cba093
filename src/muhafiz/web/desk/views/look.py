"""The palette's commands, the density of rows, and the page that shows every component."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render

from muhafiz.accounts.actions.preferences import set_preferences
from muhafiz.accounts.queries import preferences
from muhafiz.web.addresses import asked_next
from muhafiz.web.desk import commands as found
from muhafiz.web.desk.asking import Asked
from muhafiz.web.desk.specimens import specimens
from muhafiz.web.desk.things import found_things
from muhafiz.web.desk.views.search import record_search
from muhafiz.web.viewer import ViewedRequest


def commands(request: ViewedRequest) -> HttpResponse:
    """The palette's lines for its script, or as a page for who has none.

    JSON: without `q` all commands, with `q` only the things that it names.
    """
    asked = Asked(request.GET)
    text = asked.text("q")
    direct = _things(request, text) if text else []
    if not request.accepts("text/html"):
        lines = direct if text else found.commands_for(request.viewer)
        return JsonResponse({"commands": [each.as_json() for each in lines]})
    named = found.found_by_name(request.viewer, text)
    context = {"lines": [*direct, *named], "text": text, "asked": asked, "here": "commands"}
    return render(request, "desk/commands.html", context, status=asked.status)


def _things(request: ViewedRequest, text: str) -> list[found.Command]:
    """What the text names, each address once; that it was looked for is written down first."""
    record_search(request, text)
    by_number = found.found_by_number(request.viewer, text)
    once: dict[str, found.Command] = {}
    for each in (*by_number, *found_things(request.viewer, text, request.now)):
        once.setdefault(each.address, each)
    return list(once.values())


def density(request: ViewedRequest) -> HttpResponseRedirect:
    """Keep how close rows stand, and go back to the page."""
    kept = preferences(int(request.viewer.identifier))
    set_preferences(
        name="",
        language=kept.language,
        density=request.POST.get("density", ""),
        shortcuts=kept.shortcuts,
        actor=request.viewer,
        now=request.now,
    )
    return HttpResponseRedirect(asked_next(request))


def look(request: ViewedRequest) -> HttpResponse:
    """Every component with its markup and states, in both languages and both themes."""
    context = {"specimens": list(specimens(request)), "here": "look"}
    return render(request, "desk/look.html", context)
