"""The invented organizations and people, read from nation.toml."""

from __future__ import annotations

import ipaddress
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class InventedOrganization:
    """One organization of the demonstration: what it is called and what it owns."""

    key: str
    name: dict[str, str]
    sector: str
    region: str
    language: str
    network: str
    network6: str  # a /48 without its length, e.g. "2001:db8:1"
    domain: str
    asn: int | None
    parent: str | None
    has_contact: bool


@dataclass(frozen=True, slots=True)
class InventedPerson:
    """One person of the demonstration, with one role; of one `organization` unless of the CERT."""

    email: str
    name: str
    role: str
    language: str
    organization: str | None = None


@dataclass(frozen=True, slots=True)
class Nation:
    """Everybody in the demonstration."""

    organizations: tuple[InventedOrganization, ...]
    people: tuple[InventedPerson, ...]


def read_nation() -> Nation:
    """The nation as shipped."""
    text = (files(__package__) / "nation.toml").read_text(encoding="utf-8")
    told = tomllib.loads(text)
    organizations = (_organization(at, one) for at, one in enumerate(told["organization"], 1))
    people = (InventedPerson(**one) for one in told["person"])
    return Nation(tuple(organizations), tuple(people))


def _organization(number: int, told: dict[str, Any]) -> InventedOrganization:
    network = ipaddress.ip_network(told["network"])
    return InventedOrganization(
        key=told["key"],
        name=told["name"],
        sector=told["sector"],
        region=told["region"],
        language=told["language"],
        network=str(network),
        network6=f"2001:db8:{number:x}",
        domain=f"{told['key']}.example",
        asn=told.get("asn"),
        parent=told.get("parent"),
        has_contact=told.get("contact", True),
    )
