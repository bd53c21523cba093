"""Who is protected: the list with its cares, and one organization's page."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from muhafiz.constituency import directory
from muhafiz.constituency.asks import latest_asks
from muhafiz.constituency.cares import CARES, care_of, cares_at
from muhafiz.constituency.holdings import claims_of
from muhafiz.constituency.queries import organization
from muhafiz.constituency.rules import KINDS
from muhafiz.constituency.rules import ROLES as CONTACT_ROLES
from muhafiz.detection import queries as detection
from muhafiz.detection.owners import OwnerStanding, silent_owners, standings
from muhafiz.lake import queries as lake
from muhafiz.lake.query import EventQuery
from muhafiz.notifications.queries import retirements
from muhafiz.rulebook.queries import value_or
from muhafiz.web.charts import Drawing, stacked_bars
from muhafiz.web.desk.asking import Asked
from muhafiz.web.desk.finding_items import with_items
from muhafiz.web.labels import KINDS as KIND_WORDS
from muhafiz.web.labels import SEVERITIES
from muhafiz.web.parts import address, filter_bar, tabs
from muhafiz.web.place import region_names, sector_names
from muhafiz.web.viewer import ViewedRequest

_WEEKS = 26
_SILENT_DAYS = 14
_FILLS = ("critical", "high", "medium", "low")
_ORDER = ("", "info", *reversed(_FILLS))  # from the foot of a bar upwards
_LABELS = {
    "text": gettext_lazy("Search"),
    "sector": gettext_lazy("Sector"),
    "care": gettext_lazy("What is missing"),
}
CARE_WORDS = {
    "silent": gettext_lazy("Silent"),
    "contact": gettext_lazy("No contact"),
    "confirmed": gettext_lazy("Contact long unconfirmed"),
    "dead": gettext_lazy("Address takes no mail"),
    "key": gettext_lazy("No key"),
    "key_ending": gettext_lazy("Key ends soon"),
    "conflict": gettext_lazy("Contested claims"),
    "retired": gettext_lazy("Retired"),
}


def silent_days(request: ViewedRequest) -> int:
    """After how many days without an answer an organization counts as silent."""
    return int(value_or("liaison.silent_days", _SILENT_DAYS, at=request.now))


def constituents(request: ViewedRequest) -> HttpResponse:
    """Organizations by name: what is open at theirs, whether they answer, what is missing."""
    asked = Asked(request.GET)
    sectors = sector_names(request.now)
    text = asked.text("text")
    sector = asked.choice("sector", (*sectors, "-"))
    care = asked.choice("care", tuple(CARE_WORDS))
    page = _search(request, asked, text, sector, care)
    shown = standings(at=request.now, organization_ids=[row.facts.id for row in page.rows])
    days = silent_days(request)
    rows = [(row, shown.get(row.facts.id, OwnerStanding(row.facts.id))) for row in page.rows]
    context = {
        "page": page,
        "rows": [(row, found, found.is_silent(request.now, days)) for row, found in rows],
        "sectors": {**sectors, "-": _("without a sector")},
        "cares": CARE_WORDS,
        "bar": filter_bar(
            request.GET,
            _LABELS,
            words={
                "sector": lambda code: sectors.get(code, _("without a sector")),
                "care": lambda code: CARE_WORDS[code],
            },
            errors=asked.errors,
        ),
        "text": text,
        "sector": sector,
        "care": care,
        "asked": asked,
        "here": "constituents",
    }
    return render(request, "desk/constituents/list.html", context, status=asked.status)


def _search(request: ViewedRequest, asked: Asked, text: str, sector: str, care: str) -> Any:
    cares = cares_at(request.now)
    among = None
    if care == "silent":
        found = silent_owners(at=request.now, days=silent_days(request))
        among = [each.organization_id for each in found]
    narrowed = None
    if care in CARES:
        narrowed = care_of(care, cares, viewer=request.viewer, at=request.now)
    return directory.search(
        text,
        viewer=request.viewer,
        at=request.now,
        sector=None if not sector else "" if sector == "-" else sector,
        retired=care == "retired",
        among=among,
        narrowed=narrowed,
        cares=cares,
        page=asked.whole("page", most=10**6) or 1,
    )


def constituent(request: ViewedRequest, organization_id: int) -> HttpResponse:
    """Everything the desk knows of one organization."""
    return constituent_page(request, organization_id)


def constituent_page(
    request: ViewedRequest, organization_id: int, *, form: str = "", error: str = ""
) -> HttpResponse:
    """The page; with `form`, what was typed there stands beside what is wrong with it."""
    found = directory.organization_page(organization_id, viewer=request.viewer, at=request.now)
    if found is None:
        raise Http404
    standing = standings(at=request.now, organization_ids=[organization_id])
    theirs = standing.get(organization_id, OwnerStanding(organization_id))
    cares = cares_at(request.now)
    asked = latest_asks(each.id for each in found.contacts)
    dead = retirements(each.address for each in found.contacts)
    context = {
        "page": found,
        "name": found.facts.name(get_language() or "en"),
        "sector": sector_names(request.now).get(found.facts.sector, found.facts.sector),
        "region": region_names(request.now).get(found.facts.region, found.facts.region),
        "standing": theirs,
        "silent": theirs.is_silent(request.now, silent_days(request)),
        "exposure": exposure(organization_id, request.now),
        "contacts": [
            {
                "contact": each,
                "late": each.confirmed_at is None or each.confirmed_at < cares.confirmed_before,
                "ends": each.key_expires_at is not None
                and each.key_expires_at < cares.key_ends_before,
                "dead": dead.get(each.address),
                "asked": asked.get(each.id),
            }
            for each in found.contacts
        ],
        "findings": with_items(
            detection.findings(viewer=request.viewer, organization_id=organization_id, limit=8),
            viewer=request.viewer,
        ),
        "notices": detection.notices(organization_id=organization_id, limit=8),
        "kinds": KINDS,
        "contact_roles": CONTACT_ROLES,
        "form": form,
        "error": error,
        "typed": request.POST if form else {},
        "today": request.now.date(),
        "here": "constituent",
    }
    status = 400 if error else 200
    return render(request, "desk/constituents/page.html", context, status=status)


def claims(request: ViewedRequest, organization_id: int) -> HttpResponse:
    """All networks, domains and AS numbers of an organization, present and past, to be searched."""
    known = directory.visible(request.viewer).filter(pk=organization_id).exists()
    owner = organization(organization_id) if known else None
    if owner is None:
        raise Http404
    asked = Asked(request.GET)
    text, kind = asked.text("text"), asked.choice("kind", KINDS)
    state = asked.choice("state", ("held", "past"))
    page = claims_of(
        organization_id,
        viewer=request.viewer,
        at=request.now,
        text=text,
        kind=kind,
        held=None if not state else state == "held",
        page=asked.whole("page", most=10**6) or 1,
    )
    choices = [("", _("All"), None), ("held", _("Hold today"), None), ("past", _("Past"), None)]
    labels = {"text": gettext_lazy("Search"), "kind": gettext_lazy("Kind")}
    context = {
        "owner": owner,
        "name": owner.name(get_language() or "en"),
        "page": page,
        "tabs": tabs(request.GET, "state", choices, here=state),
        "bar": filter_bar(
            request.GET,
            labels,
            words={"kind": lambda code: KIND_WORDS.get(code, code)},
            errors=asked.errors,
        ),
        "before": address(request.GET, page=page.number - 1) if page.number > 1 else "",
        "next": address(request.GET, page=page.number + 1) if page.number < page.pages else "",
        "kinds": KINDS,
        "asked": asked,
        "text": text,
        "kind": kind,
        "back": request.get_full_path(),
        "today": request.now.date(),
        "here": "claims",
    }
    return render(request, "desk/constituents/claims.html", context, status=asked.status)


@dataclass(frozen=True, slots=True)
class Exposure:
    """Events a week by severity: drawn, and as a table (day, counts, sum)."""

    drawing: Drawing
    names: tuple[str, ...]
    weeks: tuple[tuple[date, tuple[int, ...], int], ...]


def exposure(organization_id: int, now: datetime) -> Exposure | None:
    """The last half year's; None when nothing was seen."""
    monday = now.date() - timedelta(days=now.weekday())
    first = monday - timedelta(weeks=_WEEKS - 1)
    query = EventQuery(
        organization_ids=frozenset({organization_id}),
        since=datetime.combine(first, time.min, UTC),
    )
    counted: Counter[tuple[date, str]] = Counter()
    for point in lake.trend(query, bands="severity"):
        day = point.start.date()
        counted[day - timedelta(days=day.weekday()), str(point.value or "")] += point.events
    mondays = [first + timedelta(weeks=at) for at in range(_WEEKS)]
    present = [name for name in _ORDER if any(counted[day, name] for day in mondays)]
    if not present:
        return None
    bands = [(_word(name), [counted[day, name] for day in mondays]) for name in present]
    fills = [f"var(--fill-{name})" if name in _FILLS else "var(--c6)" for name in present]
    drawing = stacked_bars([f"{day:%m-%d}" for day in mondays], bands, height=180, fills=fills)
    weeks = []
    for at, day in enumerate(mondays):
        counts = tuple(band[at] for _name, band in bands)
        weeks.append((day, counts, sum(counts)))
    return Exposure(drawing, tuple(name for name, _band in bands), tuple(weeks))


def _word(severity: str) -> str:
    return str(SEVERITIES[severity][0]) if severity in SEVERITIES else _("not said")
