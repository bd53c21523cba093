"""Another organization's rows appear in no page, file, error or log line of the portal.

The walk finds the portal's routes by itself, follows every link of every page, and asks each route
with another's ids and with bad parameters. It runs on committed rows, so that the database's own
separation works as in production.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from django.test import Client

from muhafiz.constituency.directory import search
from muhafiz.web.portal.permissions import ROUTES as PORTAL
from tests.web import given
from tests.web.crawl import _Links
from tests.web.given import OPERATOR, make_world
from tests.web.samples import address, arguments, mismatched

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "portal"])

CANARY = "zxcanaryqv"
NETWORK = "45.91.17"  # not one that forms give as an example
MOST = 6  # addresses of one shape
BAD = (
    "", "?q=" + CANARY, "?state='%20OR%201=1--", "?before=99999999999999999999", "?page=-1",
    "?part=1", "?part=2", "?organization_id=1", "?since=never", "?severity=%00", "?sort=nothing",
    "?q=" + "x" * 3000,
)  # fmt: skip

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


def _secrets(other: int) -> list[str]:
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


def _starts(own: int, other: int) -> Iterator[str]:
    for route in PORTAL:
        yield address(route, own)
        if arguments(route):
            yield address(route, other)
            yield from mismatched(route, own, other)
    yield from ("/", "/verify/", "/statistics/", "/sign-in/mine/", "/desk/", "/desk/search/?q=x")
    yield f"/verify/?code={CANARY}"


def _body(answer) -> str:
    raw = b"".join(answer.streaming_content) if answer.streaming else answer.content
    told = " ".join(f"{name}: {value}" for name, value in answer.headers.items())
    return f"{told}\n{raw.decode('utf-8', 'replace')}"


def _shape(where: str) -> str:
    """The address without what counts rows: pages of one kind are walked a few times only."""
    parts = urlsplit(where)
    names = sorted(pair.partition("=")[0] for pair in parts.query.split("&"))
    return re.sub(r"[0-9A-F]*[0-9][0-9A-Fa-f-]*", "#", parts.path) + "?" + "&".join(names)


class _Seen:
    """What a walk met: where a secret stood that was not asked for by its own address."""

    def __init__(self, client: Client, secrets: list[str]) -> None:
        self.client, self.secrets = client, secrets
        self.asked: set[str] = set()
        self.found: list[str] = []
        self.broken: list[str] = []

    def ask(self, where: str, method: str = "GET") -> str:
        self.asked.add(where)
        answer = self.client.generic(method, where)
        text = _body(answer)
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
            links = _Links()
            links.feed(self.ask(where))
            waiting += [
                each for each in links.found
                if each.startswith("/") and not each.startswith(("/static/", "/language", "/theme"))
                and len(each) < 400
            ]  # fmt: skip


@pytest.mark.parametrize("language", ["en", "ur"])
def test_no_canary_in_the_portal(two, constituent_client, caplog, language):
    own, other = two
    caplog.set_level(logging.DEBUG)
    client = constituent_client(own, "constituent_admin")
    client.raise_request_exception = False
    client.cookies["django_language"] = language
    seen = _Seen(client, _secrets(other))
    caplog.clear()
    seen.walk(_starts(own, other))
    for route in PORTAL:
        plain = urlsplit(address(route, own)).path
        for bad in BAD if language == "en" and PORTAL[route][1] == "GET" else ():
            seen.ask(plain + bad)
        if PORTAL[route][1] == "POST":
            for where in {address(route, other), *mismatched(route, own, other)}:
                seen.ask(where, "POST")
    assert seen.broken == []
    assert "\n".join(seen.found) == ""
    assert len(seen.asked) > 60
    lines = [re.sub(r"(/|code=|q=)\S*", "", record.getMessage()) for record in caplog.records]
    assert [line for line in lines if CANARY in line or NETWORK in line] == []


def test_the_canary_would_be_seen(two, constituent_client):
    """The other's own people meet it everywhere, so the walk above looks for the right thing."""
    _, other = two
    seen = _Seen(constituent_client(other, "constituent_admin"), _secrets(other))
    for where in ("/portal/", "/portal/networks/", "/portal/contacts/", "/portal/notices/"):
        seen.ask(where)
    assert len({each.split(": ")[0] for each in seen.found}) == 4
