"""An organization whose rows nobody else may meet, and a walk that looks for them.

The walk finds the portal's routes by itself, follows every link of every page, and notes where
something of the other organization stood.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from django.test import Client

from muhafiz.constituency.directory import search
from tests.web import given
from tests.web.crawl import Links
from tests.web.given import OPERATOR, make_world

#: The walks run on committed rows, so that the database's own separation works as in production.
COMMITTED = pytest.mark.django_db(transaction=True, databases=["default", "portal"])

CANARY = "zxcanaryqv"
NETWORK = "45.91.17"  # not one that forms give as an example
MOST = 6  # addresses of one shape
_CONSTITUENTS = f"""organization,record,value,name,name_ur,sector,parent,language,role
mine,organization,,Quetta City Water,کوئٹہ واٹر,,,en,
mine,network,198.51.100.0/24,,,,,,
mine,domain,water.example,,,,,,
mine,contact,abuse@water.example,Desk,,,,en,abuse
theirs,organization,,{CANARY} Power,{CANARY} پاور,,,en,
theirs,network,{NETWORK}.0/24,,,,,,
theirs,domain,{CANARY}.example,,,,,,
theirs,contact,abuse@{CANARY}.example,{CANARY},,,,en,abuse
"""


def _report(rows, day) -> bytes:
    lines = [
        f'"{day:%Y-%m-%d} 01:02:{at:02d}","high","{net}.{at + 1}","tcp",23,"h{at}.{name}",'
        f'"telnet",64500,"PK","Sindh","Karachi",0,"","{text}","{text}"\n'
        for at in range(rows)
        for net, name, text in (
            (NETWORK, f"{CANARY}.example", CANARY),
            ("198.51.100", "water.example", "banner"),
        )
    ]
    return (given._HEADER + "".join(lines)).encode()


@pytest.fixture
def two(folders, settings, monkeypatch) -> tuple[int, int]:
    """One's own organization, and another that no page of the first may speak of."""
    settings.DEMONSTRATION = True
    monkeypatch.setattr(given, "CONSTITUENTS", _CONSTITUENTS)
    monkeypatch.setattr(given, "telnet_report", _report)
    monkeypatch.setattr(given, "_named", lambda moment: moment)
    moment = make_world()
    found = {row.facts.name_en: row.facts.id for row in search(viewer=OPERATOR, at=moment).rows}
    return found["Quetta City Water"], found[f"{CANARY} Power"]


def secrets_of(other: int) -> list[str]:
    """What gives the other away: its names, addresses, numbers and ids that nobody guesses."""
    from django.apps import apps

    found = [CANARY, NETWORK + "."]
    for table in ("detection_finding", "detection_notice"):
        model = next(m for m in apps.get_models() if m._meta.db_table == table)
        rows = model._base_manager.using("default").filter(organization_id=other)
        found += [number for number in rows.values_list("number", flat=True) if number]
        if table == "detection_notice":
            found += [str(each) for each in rows.values_list("public_id", flat=True)]
    assert len(found) >= 5
    return found


def body(answer) -> str:
    raw = b"".join(answer.streaming_content) if answer.streaming else answer.content
    told = " ".join(f"{name}: {value}" for name, value in answer.headers.items())
    return f"{told}\n{raw.decode('utf-8', 'replace')}"


def _shape(where: str) -> str:
    """The address without what counts rows: pages of one kind are walked a few times only."""
    parts = urlsplit(where)
    names = sorted(pair.partition("=")[0] for pair in parts.query.split("&"))
    return re.sub(r"[0-9A-F]*[0-9][0-9A-Fa-f-]*", "#", parts.path) + "?" + "&".join(names)


class Seen:
    """What a walk met: where a secret stood that was not asked for by its own address."""

    def __init__(self, client: Client, secrets: list[str]) -> None:
        self.client, self.secrets = client, secrets
        self.asked: set[str] = set()
        self.found: list[str] = []
        self.broken: list[str] = []

    def ask(self, where: str, method: str = "GET") -> str:
        self.asked.add(where)
        answer = self.client.generic(method, where)
        text = body(answer)
        if answer.status_code >= 500:
            self.broken.append(f"{method} {where}: {answer.status_code}")
        # What somebody typed into the address comes back in fields and links: that tells nothing.
        for secret in self.secrets:
            if secret not in where and secret in text:
                self.found.append(f"{method} {where}: {secret}")
        return text

    def walk(self, starts: Iterator[str]) -> None:
        waiting, times = list(starts), Counter()
        while waiting:
            where = waiting.pop(0)
            times[_shape(where)] += 1
            if where in self.asked or times[_shape(where)] > MOST:
                continue
            links = Links()
            links.feed(self.ask(where))
            waiting += [
                each for each in links.found
                if each.startswith("/") and not each.startswith(("/static/", "/language", "/theme"))
                and len(each) < 400
            ]  # fmt: skip
