"""A role that reads no case meets none: in no page it may open, nor in what these lead to."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from muhafiz.accounts.rules import matrix
from muhafiz.web.desk.permissions import ROUTES as DESK
from tests.web.canary import CANARY, COMMITTED, NETWORK, Seen, secrets_of
from tests.web.samples import address

pytestmark = COMMITTED

#: What opens a case's addresses, names and texts; who has none of these meets none of them.
CASES = {
    "events.read", "reports.read", "notices.read", "queue.read", "liaison.read", "situation.read",
    "audit.read",
}  # fmt: skip
READERS = {role for each in CASES for role in matrix().permissions[each]}
CLOSED = sorted(set(matrix().roles) - READERS - matrix().constituents)


def _case_secrets(other: int) -> list[str]:
    """Not the constituent's bare name: who invites its people must choose it from a list."""
    names = {CANARY, f"{CANARY} Power"}
    found = [each for each in secrets_of(other) if each not in names]
    return [*found, f"{CANARY}.example", f"@{CANARY}"]


def test_the_roles_that_read_no_case_are_these():
    assert CLOSED == ["administrator", "council_member", "council_secretary", "programme_manager"]


@pytest.mark.parametrize("role", CLOSED)
def test_who_reads_no_case_meets_none(two, entered, role):
    client = entered(role)
    client.raise_request_exception = False
    seen = Seen(client, _case_secrets(two[1]))
    may = [
        name for name, (permission, method) in DESK.items()
        if method == "GET" and role in matrix().permissions[permission]
    ]  # fmt: skip
    starts = [address(name) for name in may]
    starts += [
        f"/desk/search/?q={CANARY}",
        f"/desk/commands/?q={CANARY}",
        f"/verify/?code={CANARY}",
    ]
    seen.walk(iter(starts))
    for name in DESK:  # also those that they may not open
        seen.ask(urlsplit(address(name)).path)
    assert seen.broken == []
    assert "\n".join(seen.found) == ""


def test_the_walk_would_see_a_case(two, entered):
    seen = Seen(entered("duty_officer"), _case_secrets(two[1]))
    seen.walk(iter(["/desk/", "/desk/letters/", "/desk/events/"]))
    assert {each.rpartition(": ")[2] for each in seen.found} >= {f"{NETWORK}.", f"@{CANARY}"}
