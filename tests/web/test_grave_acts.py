"""Which acts ask again who is there, and that nothing happens before that is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from muhafiz.accounts.models import Session
from muhafiz.web.desk.permissions import ROUTES as DESK
from muhafiz.web.portal.permissions import ROUTES as PORTAL
from tests.web.matrix import IN_MEMORY, snapshot, somebody_who_may_all
from tests.web.samples import address

pytestmark = pytest.mark.django_db

#: What changes who gets in, who is written to, what goes out, or by what all are judged.
GRAVE = {
    "constituent-retire", "contacts-ask", "import-apply", "letter-act",
    "merge-do", "notice-recall", "notice-release", "notice-send", "notice-send-now",
    "person-grant", "person-invite", "person-readmit", "person-reset", "person-revoke",
    "person-suspend", "policy-end", "policy-keep", "portal-contact-add", "portal-contact-change",
    "portal-contact-end", "portal-person-invite", "portal-person-readmit",
    "portal-person-suspend", "rulebook-decide", "rulebook-propose",
}  # fmt: skip


def test_a_stale_sign_in_does_no_grave_act_and_every_other(world, settings):
    settings.SESSION_ENGINE = IN_MEMORY  # where what was typed is kept meanwhile
    asked = set()
    for routes, organization in ((DESK, None), (PORTAL, world.organization)):
        client = somebody_who_may_all(organization)
        Session.objects.update(confirmed_at=datetime.now(UTC) - timedelta(hours=1))
        client.raise_request_exception = False
        before = snapshot()
        writes = [route for route, (_, method) in routes.items() if method == "POST"]
        for name in sorted(writes, key=lambda route: route not in GRAVE):
            if name not in GRAVE and before is not None:
                assert snapshot() == before
                before = None
            answer = client.post(address(name, organization))
            if answer.headers.get("Location", "").startswith("/sign-in/confirm/"):
                asked.add(name)
    assert asked == GRAVE & {*DESK, *PORTAL}
