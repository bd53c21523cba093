"""Each layer that keeps constituents apart holds alone.

The matrix and the bodies' walk run where the database does not narrow, so the code alone holds
there. Here the code has forgotten to look whose rows it reads, and the database alone holds.
"""

from __future__ import annotations

import sys

import pytest
from django.urls import reverse

from muhafiz.constituency import visible
from muhafiz.detection.queries import findings
from muhafiz.web.portal.permissions import ROUTES as PORTAL
from tests.web.canary import COMMITTED, Seen, secrets_of
from tests.web.given import OPERATOR
from tests.web.samples import address, arguments, mismatched

pytestmark = COMMITTED


@pytest.fixture
def forgetful(monkeypatch) -> int:
    """The code believes that everybody may see everything; in so many places."""
    found = [
        module for module in list(sys.modules.values())
        if getattr(module, "organizations_of", None) is visible.organizations_of
    ]  # fmt: skip
    for module in found:
        monkeypatch.setattr(module, "organizations_of", lambda _viewer: None)
    return len(found)


def test_the_database_alone_keeps_another_out_of_every_page(two, constituent_client, forgetful):
    own, other = two
    assert forgetful >= 3
    client = constituent_client(own, "constituent_admin")
    client.raise_request_exception = False
    seen = Seen(client, secrets_of(other))
    starts = []
    for route, (_, method) in PORTAL.items():
        if method == "GET":
            starts += [address(route, own)]
            if arguments(route):
                starts += [address(route, other), *mismatched(route, own, other)]
    seen.walk(iter(starts))
    assert "\n".join(seen.found) == ""
    assert len(seen.asked) > 40


def test_without_either_layer_another_would_be_seen(
    two, constituent_client, forgetful, monkeypatch
):
    """So that the test above proves what it says."""
    from contextlib import nullcontext

    from muhafiz.web import tenant

    monkeypatch.setattr(tenant, "reading_as", lambda _own: nullcontext())
    own, other = two
    seen = Seen(constituent_client(own, "constituent_admin"), secrets_of(other))
    number = findings(viewer=OPERATOR, organization_id=other, limit=1)[0].number
    seen.ask("/portal/notices/")
    seen.ask(reverse("portal-finding", args=[number]))
    assert len(seen.found) >= 2
