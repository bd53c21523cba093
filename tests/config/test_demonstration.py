"""The demonstration is invented, and cannot reach anybody."""

from __future__ import annotations

import ipaddress

from muhafiz.config.demonstration.nation import read_nation
from muhafiz.config.demonstration.reports import day_of_reports

DOCUMENTATION = [
    ipaddress.ip_network(text)
    for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]


def test_networks_are_reserved_for_documentation():
    for organization in read_nation().organizations:
        for text in (organization.network, f"{organization.network6}::/48"):
            network = ipaddress.ip_network(text)
            assert any(
                network.version == block.version and network.subnet_of(block)
                for block in DOCUMENTATION
            )


def test_names_and_people_are_invented():
    nation = read_nation()
    assert all(organization.domain.endswith(".example") for organization in nation.organizations)
    assert all(person.email.endswith("@cert.example") for person in nation.people)
    assert {"duty_officer", "administrator"} <= {person.role for person in nation.people}


def test_a_day_is_the_same_day_again(now):
    nation = read_nation()
    first, again = (list(day_of_reports(nation, now=now)) for _ in range(2))
    assert first == again
    assert len({name for name, _ in first}) == len(first)
    assert all("2026-11-22" in name for name, _ in first)
