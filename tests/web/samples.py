"""Values for the arguments of routes, from a world that exists: one's own, and another's.

A new route's argument gets a line in `SAMPLES`: its name (or "route:argument" where one name means
two things), and a function from an organization's id (None: anybody's) to a value of an existing
row of that organization, or None where there is none.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from uuid import uuid4

from django.apps import apps
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from muhafiz.lake.queries import scan
from muhafiz.lake.query import EventQuery

Sample = Callable[[int | None], object]
#: Where there is no such row.
_NOWHERE = {"UUIDConverter": "00000000-0000-4000-8000-000000000000", "IntConverter": 999_999}


def _first(table: str, field: str = "pk", owned: str = "") -> Sample:
    model = next(m for m in apps.get_models() if m._meta.db_table == table)

    def found(organization: int | None) -> object:
        rows = model._base_manager.order_by("pk")
        if organization is not None and owned:
            prefix = f"organization:{organization}/"
            rows = (
                rows.filter(recipient__startswith=prefix)
                if owned == "recipient"
                else rows.filter(**{owned: organization})
            )
        return rows.values_list(field, flat=True).first()

    return found


def _event(field: str) -> Sample:
    def found(organization: int | None) -> object:
        owners = frozenset() if organization is None else frozenset({organization})
        rows = scan(EventQuery(organization_ids=owners, limit=1)).to_pylist()
        return str(rows[0][field]) if rows else None

    return found


def _always(value: object) -> Sample:
    return lambda _: value


SAMPLES: dict[str, Sample] = {
    "organization_id": lambda own: own or _first("constituency_organization")(None),
    "claim_id": _first("constituency_claim", owned="organization_id"),
    "contact_id": _first("constituency_contact", owned="organization_id"),
    "inhibition_id": _first("constituency_inhibition"),
    "import_id": _first("constituency_import"),
    "request_id": _first("constituency_claimrequest", owned="organization_id"),
    "finding_id": _first("detection_finding", owned="organization_id"),
    "number": _first("detection_finding", "number", owned="organization_id"),
    "letter-attachment:number": _always(0),
    "notice_id": _first("detection_notice"),
    "portal-notice:notice_id": _first("detection_notice", "public_id", "organization_id"),
    "portal-letter-raw:notice_id": _first("detection_notice", "public_id", "organization_id"),
    "portal-letter-attachment:notice_id": _first(
        "detection_notice", "public_id", "organization_id"
    ),
    "letter_id": _first("notifications_message", owned="recipient"),
    "place": _always(0),
    "form": _always("csv"),
    "code": _first("detection_digestpolicy", "code"),
    "simulation_id": _first("detection_simulation"),
    "person_id": _first("accounts_person", owned="organization_id"),
    "invitation_id": _first("accounts_invitation", owned="organization_id"),
    "session_id": _first("accounts_session"),
    "view_id": _first("accounts_saved_view"),
    "pk": _first("mfa_authenticator"),
    "run_id": _first("triage_bulk"),
    "item_id": _first("triage_item"),
    "handover_id": _first("triage_handover"),
    "report_id": _first("feeds_report"),
    "row_id": _first("feeds_set_aside_row"),
    "sample_id": _first("feeds_sample"),
    "name": _first("feeds_feed", "name"),
    "job_id": _first("jobs_job"),
    "index": _first("audit_entry"),
    "export_id": _first("lake_export"),
    "proposal_id": _first("rulebook_proposal"),
    "day": _event("day"),
    "key": _event("key"),
    "rulebook-key:key": _first("rulebook_value", "key"),
    "rulebook-propose:key": _first("rulebook_value", "key"),
    "account_reset_password_from_key:key": _always("1-1"),
    "uidb36": _always("1"),
    "token": lambda _: uuid4().hex,
    "provider_id": _always("national"),
}


@cache
def routes() -> dict[str, URLPattern]:
    """Every route there is, by name, as the resolver has it."""
    found: dict[str, URLPattern] = {}
    waiting: list[URLPattern | URLResolver] = list(get_resolver().url_patterns)
    while waiting:
        each = waiting.pop()
        if isinstance(each, URLResolver):
            waiting += each.url_patterns
        else:
            assert each.name, f"{each.pattern} has no name"
            found[each.name] = each
    return found


@cache
def arguments(route: str) -> list[str]:
    """The names of a route's arguments."""
    forms, *_ = get_resolver().reverse_dict[route]
    return list(forms[0][1])


def _value(route: str, argument: str, organization: int | None) -> object:
    sample = SAMPLES.get(f"{route}:{argument}") or SAMPLES.get(argument)
    assert sample is not None, f"Say in tests/web/samples.py what “{argument}” of {route} can be."
    found = sample(organization)
    if found is None:
        converter = type(routes()[route].pattern.converters.get(argument)).__name__
        found = _NOWHERE.get(converter, "nothing")
    return found


def address(route: str, organization: int | None = None) -> str:
    """The route's address with an existing organization's ids (None: anybody's)."""
    return reverse(route, kwargs={a: _value(route, a, organization) for a in arguments(route)})


def mismatched(route: str, own: int, other: int) -> list[str]:
    """Addresses whose ids belong partly to one organization and partly to another."""
    names = arguments(route)
    if len(names) < 2:
        return []
    found = set()
    for odd in names:
        kwargs = {a: _value(route, a, other if a == odd else own) for a in names}
        found.add(reverse(route, kwargs=kwargs))
    return sorted(found - {address(route, own), address(route, other)})
