"""Another organization's rows appear in no page, file, error or log line of the portal.

Each route is asked with another's ids and with bad parameters besides.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from muhafiz.web.portal.permissions import ROUTES as PORTAL
from tests.web.canary import CANARY, COMMITTED, NETWORK, Seen, secrets_of
from tests.web.samples import address, arguments, mismatched

pytestmark = COMMITTED

BAD = (
    "", "?q=" + CANARY, "?state='%20OR%201=1--", "?before=99999999999999999999", "?page=-1",
    "?part=1", "?part=2", "?organization_id=1", "?since=never", "?severity=%00", "?sort=nothing",
    "?q=" + "x" * 3000,
)  # fmt: skip


def _starts(own: int, other: int) -> Iterator[str]:
    for route in PORTAL:
        yield address(route, own)
        if arguments(route):
            yield address(route, other)
            yield from mismatched(route, own, other)
    yield from ("/", "/verify/", "/statistics/", "/sign-in/mine/", "/desk/", "/desk/search/?q=x")
    yield f"/verify/?code={CANARY}"


@pytest.mark.parametrize("language", ["en", "ur"])
def test_no_canary_in_the_portal(two, constituent_client, caplog, language):
    own, other = two
    caplog.set_level(logging.DEBUG)
    client = constituent_client(own, "constituent_admin")
    client.raise_request_exception = False
    client.cookies["django_language"] = language
    seen = Seen(client, secrets_of(other))
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
    seen = Seen(constituent_client(other, "constituent_admin"), secrets_of(other))
    for where in ("/portal/", "/portal/networks/", "/portal/contacts/", "/portal/notices/"):
        seen.ask(where)
    assert len({each.split(": ")[0] for each in seen.found}) == 4
