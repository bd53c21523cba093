"""The import of a list of constituents: compared, previewed, applied, undone."""

from __future__ import annotations

import base64

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from muhafiz.constituency import directory
from muhafiz.constituency.actions.imports import (
    Diff,
    UnreadableSheet,
    apply_import,
    preview_import,
    undo_import,
)
from muhafiz.web.refusals import sentence
from muhafiz.web.viewer import ViewedRequest

_KEPT = "constituency-import"  # the session's key of the file that is being previewed
_MOST_BYTES = 5 * 1024 * 1024
_SHOWN = 200


def import_start(request: ViewedRequest) -> HttpResponse:
    """Choose a file; those imported before can be undone."""
    return _import_page(request)


def import_preview(request: ViewedRequest) -> HttpResponse:
    """What the file would change; nothing is written."""
    sent = request.FILES.get("file")
    if sent is None or not sent.size:
        return _import_page(request, error=_("Choose a file that is not empty."))
    if sent.size > _MOST_BYTES:
        return _import_page(
            request, error=_("The file is larger than 5 MiB. Import it by command.")
        )
    content, name = sent.read(), sent.name or "upload.csv"
    try:
        diff = preview_import(content, file_name=name, now=request.now)
    except UnreadableSheet as refusal:
        return _import_page(request, error=sentence(refusal))
    kept = {"name": name, "content": base64.b64encode(content).decode("ascii")}
    request.session[_KEPT] = kept
    context = {
        "diff": diff,
        "lines": [_shown(line) for line in diff.lines[:_SHOWN]],
        "here": "import",
    }
    return render(request, "desk/constituents/preview.html", context)


def _shown(line: object) -> dict[str, object]:
    """One line of the diff: what it was and what it becomes, column by column."""
    before, after = dict(line.before), dict(line.after)  # type: ignore[attr-defined]  # a DiffLine
    changed = [
        (column, before.get(column), value)
        for column, value in after.items()
        if before.get(column) != value
    ]
    return {"line": line, "changed": changed}


def import_apply(request: ViewedRequest) -> HttpResponseRedirect:
    """Write what the preview showed; refused when it would change something else by now."""
    kept = request.session.get(_KEPT)
    if not isinstance(kept, dict):
        messages.error(request, _("Preview a file first."))
        return redirect("import")
    diff: Diff = preview_import(
        base64.b64decode(kept["content"]), file_name=kept["name"], now=request.now
    )
    if diff.fingerprint != request.POST.get("fingerprint"):
        messages.error(request, _("It would change something else by now. Look at it again."))
        return redirect("import")
    done = apply_import(diff, actor=request.viewer, now=request.now)
    del request.session[_KEPT]
    told = _("Import {number}: {added} added, {changed} changed.")
    messages.success(
        request, told.format(number=done.import_id, added=done.added, changed=done.changed)
    )
    return redirect("import")


def import_undo(request: ViewedRequest, import_id: int) -> HttpResponseRedirect:
    """Take an import back."""
    undo_import(import_id, actor=request.viewer, now=request.now)
    messages.success(request, _("Import {number} was taken back.").format(number=import_id))
    return redirect("import")


def _import_page(request: ViewedRequest, *, error: str = "") -> HttpResponse:
    context = {"imports": directory.imports(limit=20), "error": error, "here": "import"}
    page = "desk/constituents/import.html"
    return render(request, page, context, status=400 if error else 200)
