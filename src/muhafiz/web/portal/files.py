"""One's own findings and assets as files: live values, nothing that a spreadsheet would run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from django.http import Http404, HttpResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from muhafiz.detection.facts import AssetFacts, FindingFacts
from muhafiz.web.downloads import csv_file, svg_file
from muhafiz.web.portal.scope import Scope
from muhafiz.web.portal.trend import Trend
from muhafiz.web.portal.words import told

FORMS = ("csv", "json")


def findings_file(found: Iterable[FindingFacts], scope: Scope, form: str) -> HttpResponse:
    """Findings, one a line."""
    language = get_language() or "en"
    head = (
        "number", "organization", "taxonomy", "type", "identifier", "name", "severity", "tlp",
        "state", "until", "review", "assets", "events", "first_seen", "last_seen",
    )  # fmt: skip
    lines = [
        (
            each.number, scope.parts[each.organization_id].name(language), each.taxonomy,
            each.type, each.identifier, told(each).name, each.severity, each.tlp, each.state,
            each.until.isoformat() if each.until else "", each.review, each.assets, each.events,
            _moment(each.first_seen), _moment(each.last_seen),
        )
        for each in found
        if each.organization_id in scope.parts
    ]  # fmt: skip
    return _file("findings", head, lines, form)


def assets_file(finding: FindingFacts, assets: Iterable[AssetFacts], form: str) -> HttpResponse:
    """A finding's assets, one a line."""
    head = (
        "finding", "asset", "address", "name", "port", "protocol", "network", "malware",
        "severity", "state", "events", "first_seen", "last_seen",
    )  # fmt: skip
    lines = [
        (
            finding.number, each.asset, each.address or "", each.name or "", each.port or "",
            each.protocol or "", each.network or "", each.malware or "", each.severity,
            each.state, each.events, _moment(each.first_seen), _moment(each.last_seen),
        )
        for each in assets
    ]  # fmt: skip
    return _file(finding.number, head, lines, form)


def trend_file(found: Trend | None, name: str, form: str) -> HttpResponse:
    """A drawing (svg) or its numbers, one day a line (csv).

    Raises:
        Http404: there is no such form.
    """
    if form == "svg" and found is not None:
        return svg_file(name, found.drawing, _("Assets a day by severity"))
    if form not in {"csv", "svg"}:
        raise Http404
    if found is None:
        return csv_file(name, ("day",), ())
    head = ("day", *(each or "unknown" for each in found.names))
    return csv_file(name, head, ((day.isoformat(), *counts) for day, counts in found.lines))


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _file(
    name: str, head: Sequence[str], lines: Sequence[Sequence[Any]], form: str
) -> HttpResponse:
    if form == "csv":
        return csv_file(name, head, lines)
    if form != "json":
        raise Http404
    listed = [dict(zip(head, line, strict=True)) for line in lines]
    answer = HttpResponse(
        json.dumps(listed, ensure_ascii=False, indent=1), content_type="application/json"
    )
    answer["Content-Disposition"] = f'attachment; filename="{name}.json"'
    return answer
