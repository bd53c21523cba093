"""The demonstration is invented, and cannot reach anybody."""

from __future__ import annotations

import ipaddress
import time
from hashlib import sha256

from muhafiz.accounts.rules import matrix
from muhafiz.config.demonstration.nation import read_nation
from muhafiz.config.demonstration.reports import day_of_reports

DOCUMENTATION = [
    ipaddress.ip_network(text)
    for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]


def digests(reports):
    return [(name, sha256(content).hexdigest()) for name, content in reports]


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
    domains = {"cert.example", *(organization.domain for organization in nation.organizations)}
    assert all(person.email.partition("@")[2] in domains for person in nation.people)


def test_there_is_one_person_for_each_role_and_two_constituents():
    people = read_nation().people
    assert sorted(person.role for person in people) == sorted(matrix().roles)
    belonging = {p.role: p.organization for p in people if p.role in matrix().constituents}
    assert len(set(belonging.values())) == 2
    assert None not in belonging.values()


def test_a_day_is_the_same_day_again(now, monkeypatch):
    nation, packed_at = read_nation(), time.localtime()
    first = list(day_of_reports(nation, now=now))
    later = time.localtime(time.mktime(packed_at) + 3_600)
    monkeypatch.setattr(time, "localtime", lambda *_: later)
    again = list(day_of_reports(nation, now=now))
    # Digests: megabytes told apart line by line would take minutes to print.
    assert digests(first) == digests(again)
    assert len({name for name, _ in first}) == len(first)
    assert all("2026-11-22" in name for name, _ in first)
