"""A signer of the test's own and a log with something in it."""

from __future__ import annotations

import io

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connection, transaction

from muhafiz.audit import queries
from muhafiz.audit.actions.entries import Draft, record_entries
from muhafiz.audit.actions.heads import keep_signed_head


@pytest.fixture
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)


@pytest.fixture
def sign_head(key, now):
    def sign(at=now):
        return keep_signed_head(
            sign=key.sign, public_key=key.public_key().public_bytes_raw(), now=at
        )

    return sign


@pytest.fixture
def write(actor, now):
    def write(count, action="test.do_thing"):
        with transaction.atomic():
            return record_entries(
                [Draft(action, f"thing:{n}", {"n": n, "ur": "پاک"}) for n in range(count)],
                actor=actor,
                now=now,
            )

    return write


@pytest.fixture
def exported():
    def exported() -> bytes:
        stream = io.BytesIO()
        queries.export(stream)
        return stream.getvalue()

    return exported


@pytest.fixture
def empty_log(db):
    """The log as if nothing had been written before: other tests' entries stay, but unseen.

    The guards are lowered within the test's own transaction, which is rolled back.
    """
    tables = ("audit_entry", "audit_signed_head", "audit_tree")
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for table in tables:
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        else:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            for (name,) in cursor.fetchall():
                if name.startswith("audit_"):
                    cursor.execute(f"DROP TRIGGER {name}")
        for table in tables[:2]:
            cursor.execute(f"DELETE FROM {table}")
        cursor.execute("UPDATE audit_tree SET size = 0, frontier = %s", [b""])
