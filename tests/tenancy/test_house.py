"""What the separation rests on outside its own room."""

from __future__ import annotations

import ast
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "src" / "muhafiz"

#: Where a tenant's request reads as the house, each after it has checked what is the tenant's.
BEYOND = {
    "lake/catalogue.py": "the question's organizations were checked (check_asker)",
    "lake/exposures.py": "as above",
    "web/contact_ask.py": "the link's secret alone says about whom, and only its letter had it",
    "web/verification.py": "anybody may ask whether a number is ours; the answer names nobody",
}


def _calls(name: str) -> set[str]:
    found = set()
    for path in SOURCE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if name not in text or "tenancy" in path.parts:
            continue
        for node in ast.walk(ast.parse(text)):
            called = node.func if isinstance(node, ast.Call) else None
            if name in {getattr(called, "id", None), getattr(called, "attr", None)}:
                found.add(str(path.relative_to(SOURCE)))
    return found


def test_nobody_reads_beyond_a_tenant_but_those_named_here():
    assert _calls("beyond_tenant") == set(BEYOND)


def test_the_portal_opens_no_transaction_and_no_thread():
    """A view's own transaction would read as the house, and a thread begins without a tenant."""
    portal = SOURCE / "web" / "portal"
    for path in portal.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for word in ("transaction", "Thread", "connection", "using(", "beyond_tenant", "cursor("):
            assert word not in text, f"{path.relative_to(portal)}: {word}"
