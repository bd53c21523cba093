"""Fills an empty installation with the demonstration nation and a day of its reports."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from datetime import datetime

from django.conf import settings

from muhafiz.accounts.actions.people import grant_role, register_person
from muhafiz.common.actor import Actor
from muhafiz.config.demonstration.nation import (
    InventedOrganization,
    InventedPerson,
    Nation,
    read_nation,
)
from muhafiz.config.demonstration.reports import day_of_reports
from muhafiz.config.installation import install
from muhafiz.constituency.actions.imports import apply_import, preview_import
from muhafiz.constituency.directory import owners_of

PROFILE = "pakistan"


def fill(*, actor: Actor, now: datetime, say: Callable[[str], None]) -> None:
    """Make the demonstration: nation, people, and a day of reports laid into the drop folder.

    The reports are not read here: the platform takes them from the folder as it would any other
    day, so that whoever opens the river sees it at work.
    """
    nation = read_nation()
    install(profile=PROFILE, actor=actor, now=now, say=say, cadence="at_once")
    say("Inventing a nation …")
    constituents = preview_import(_constituents(nation), file_name="demonstration.csv", now=now)
    apply_import(constituents, actor=actor, now=now)
    for person in nation.people:
        _register(person, nation, actor=actor, now=now)
    say("Laying a day of reports into the drop folder …")
    settings.DROP_FOLDER.mkdir(parents=True, exist_ok=True)
    for name, content in day_of_reports(nation, now=now):
        beside = settings.DROP_FOLDER / f".{name}.part"
        beside.write_bytes(content)
        beside.rename(settings.DROP_FOLDER / name)


def _register(person: InventedPerson, nation: Nation, *, actor: Actor, now: datetime) -> None:
    domains = {one.key: one.domain for one in nation.organizations}
    owner = None
    if person.organization is not None:
        [claim] = owners_of(domains[person.organization], viewer=actor, at=now)
        owner = claim.organization_id
    registered = register_person(
        email=person.email,
        name=person.name,
        language=person.language,
        organization_id=owner,
        actor=actor,
        now=now,
    )
    grant_role(person_id=registered.id, role=person.role, actor=actor, now=now)


_COLUMNS = (
    "organization",
    "record",
    "value",
    "name",
    "name_ur",
    "sector",
    "region",
    "parent",
    "language",
    "role",
)


def _constituents(nation: Nation) -> bytes:
    """The nation in the CSV format of docs/constituency.md."""
    text = io.StringIO()
    sheet = csv.DictWriter(text, _COLUMNS, restval="")
    sheet.writeheader()
    for organization in nation.organizations:
        sheet.writerows(_rows(organization))
    return text.getvalue().encode()


def _rows(organization: InventedOrganization) -> Iterator[dict[str, str]]:
    key = organization.key
    yield {
        "organization": key,
        "record": "organization",
        "name": organization.name["en"],
        "name_ur": organization.name["ur"],
        "sector": organization.sector,
        "region": organization.region,
        "parent": organization.parent or "",
        "language": organization.language,
    }
    yield {"organization": key, "record": "network", "value": organization.network}
    yield {"organization": key, "record": "network", "value": f"{organization.network6}::/48"}
    yield {"organization": key, "record": "domain", "value": organization.domain}
    if organization.asn is not None:
        yield {"organization": key, "record": "asn", "value": f"AS{organization.asn}"}
    if organization.has_contact:
        yield {
            "organization": key,
            "record": "contact",
            "value": f"abuse@{organization.domain}",
            "name": f"{organization.name['en']}, security desk",
            "role": "abuse",
            "language": organization.language,
        }
