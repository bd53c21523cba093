"""Entries stand or fall with their action, and nothing can change them unnoticed."""

from __future__ import annotations

import time
from hashlib import sha256

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from muhafiz.audit import queries
from muhafiz.audit.actions.entries import (
    Draft,
    NotInTransaction,
    TreeIsBroken,
    record_entries,
    record_entry,
    record_read,
)
from muhafiz.audit.actions.heads import CannotKeepHead, keep_signed_head
from muhafiz.audit.models import Tree
from muhafiz.audit.proofs import proves_consistency, proves_inclusion
from muhafiz.audit.rules import Frontier, leaf_hash, tree_root
from muhafiz.common.actor import Actor


@pytest.mark.django_db(transaction=True)
def test_no_transaction_no_entry(actor, now):
    before = queries.current_head()
    with pytest.raises(NotInTransaction):
        record_entry(actor=actor, now=now, action="test.x", subject="x:1")
    assert queries.current_head() == before


@pytest.mark.django_db(transaction=True)
def test_a_rollback_takes_the_entry_back(actor, now):
    before = queries.current_head()

    @transaction.atomic
    def action():
        record_entry(actor=actor, now=now, action="test.x", subject="x:1")
        raise RuntimeError("the action failed")

    with pytest.raises(RuntimeError, match="the action failed"):
        action()
    assert queries.current_head() == before
    assert queries.verdict().whole


@pytest.mark.django_db(transaction=True)
def test_django_flush_passes_the_log_by(write):
    write(3)
    before = queries.current_head()
    call_command("flush", interactive=False, verbosity=0)
    assert queries.current_head() == before
    assert queries.verdict().whole


def test_an_entry_is_kept_as_told(db, now):
    actor = Actor(kind="person", identifier="9", name="عائشہ \0\ud800")
    index = record_entry(
        actor=actor, now=now, action="test.x", subject="x:1", details={"b": [1, None], "a": "پ"}
    )
    entry = queries.entries(limit=1)[0]
    assert entry.index == index == queries.current_head().size - 1
    assert (entry.at, entry.actor, entry.name) == (now, "person:9", "عائشہ \ufffd\ufffd")
    assert entry.details == '{"a":"\\u067e","b":[1,null]}'


def test_a_long_subject_is_cut_and_told_by_its_digest(db, actor, now):
    for letter in "پx":
        subject = letter * 100_000
        record_entry(actor=actor, now=now, action="test.x", subject=subject)
        kept = queries.entries(limit=1)[0].subject
        assert len(kept) < 500
        assert kept.endswith(sha256(subject.encode()).hexdigest())
    assert queries.verdict().whole


def test_reads_are_entries_too(db, actor, now):
    record_read(actor=actor, now=now, action="lake.read_events", subject="organization:7")
    assert queries.entries(limit=1)[0].action == "lake.read_events"


def test_entries_are_found_by_their_parts(db, actor, now, write):
    write(3)
    record_entry(actor=actor, now=now, action="other.y", subject="thing:1")
    assert [e.action for e in queries.entries(subject="thing:1", limit=2)] == [
        "other.y",
        "test.do_thing",
    ]
    assert {e.action for e in queries.entries(action="test.*")} == {"test.do_thing"}
    assert queries.entries(actor="person:nobody") == []
    first = queries.entries(limit=1)[0].index
    assert queries.entries(before=first, limit=1)[0].index == first - 1


def test_the_stored_tree_is_the_tree_over_the_entries(db, write):
    write(5)
    write(13)
    leaves = [leaf_hash(entry.line()) for entry in queries.walk(queries.current_head().size)]
    head = queries.current_head()
    assert (head.size, head.root) == (len(leaves), tree_root(leaves))
    proof = queries.prove_inclusion(4)
    assert proves_inclusion(leaves[4], 4, head.size, proof, head.root)
    proof = queries.prove_consistency(5)
    assert proves_consistency(5, head.size, proof, tree_root(leaves[:5]), head.root)
    with pytest.raises(IndexError):
        queries.prove_inclusion(0, head.size + 1)


def test_a_hundred_thousand_entries_take_seconds(db, actor, now):
    drafts = [Draft("notices.send", f"notice:{n}", {"number": n}) for n in range(100_000)]
    started = time.monotonic()
    indexes = record_entries(drafts, actor=actor, now=now)
    assert len(indexes) == 100_000
    assert time.monotonic() - started < 30  # about 2 s on an idle machine


ATTACKS = {
    "update": "UPDATE audit_entry SET subject = 'x' WHERE \"index\" = {index}",
    "update through the key": 'UPDATE audit_entry SET "index" = 999 WHERE "index" = {index}',
    "delete": 'DELETE FROM audit_entry WHERE "index" = {index}',
    "update a head": "UPDATE audit_signed_head SET size = 1",
    "delete heads": "DELETE FROM audit_signed_head",
    "shrink the tree": "UPDATE audit_tree SET size = 0",
    "rename the log": "UPDATE audit_tree SET log = '{uuid}'",
    "delete the tree": "DELETE FROM audit_tree",
}
SQLITE_ATTACKS = {
    "replace": "INSERT OR REPLACE INTO audit_entry VALUES ({index}, '2026-01-01', 'a', 'b', 'c',"
    " 'd', '{{}}')",
    "replace by row id": 'INSERT OR REPLACE INTO audit_entry (rowid, "index", at, actor, name,'
    " action, subject, details) VALUES ({index}, {index}, '2026-01-01', 'a', 'b', 'c', 'd', '{{}}')",
    "replace, short": "REPLACE INTO audit_entry SELECT * FROM audit_entry",
    "upsert": "INSERT INTO audit_entry SELECT * FROM audit_entry WHERE true"
    " ON CONFLICT DO UPDATE SET subject = 'x'",
    "replace the tree": "INSERT OR REPLACE INTO audit_tree VALUES (1, '{uuid}', 0, x'')",
    "replace a head": "INSERT OR REPLACE INTO audit_signed_head SELECT * FROM audit_signed_head",
    "update or replace": "UPDATE OR REPLACE audit_entry SET subject = 'x'",
}
POSTGRESQL_ATTACKS = {
    "truncate": "TRUNCATE audit_entry",
    "truncate heads": "TRUNCATE audit_signed_head",
    "truncate the tree": "TRUNCATE audit_tree",
    "upsert": 'INSERT INTO audit_entry SELECT * FROM audit_entry ON CONFLICT ("index") DO UPDATE'
    " SET subject = 'x'",
    "copy": "INSERT INTO audit_entry SELECT * FROM audit_entry",
}


def stopped(statement: str) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    except IntegrityError as refusal:
        return "only grows" in str(refusal) or "unique" in str(refusal)
    return False


def test_raw_statements_are_stopped(db, write, sign_head):
    index = write(3).start
    sign_head()
    before = queries.entries(limit=3)
    own = SQLITE_ATTACKS if connection.vendor == "sqlite" else POSTGRESQL_ATTACKS
    for name, statement in (ATTACKS | own).items():
        assert stopped(statement.format(index=index, uuid="0" * 32)), name
    assert queries.entries(limit=3) == before
    assert queries.verdict().whole


def behind_the_triggers(statement: str) -> None:
    """What somebody does who owns the database and drops the triggers first."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                "SELECT name FROM sqlite_master WHERE type='trigger' AND name LIKE 'au%'"
            )
            for (name,) in cursor.fetchall():
                cursor.execute(f"DROP TRIGGER {name}")
        else:
            for table in ("audit_entry", "audit_tree", "audit_signed_head"):
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(statement)


TAMPERING = {
    "removed": 'DELETE FROM audit_entry WHERE "index" = {middle}',
    "altered": "UPDATE audit_entry SET subject = 'thing:x' WHERE \"index\" = {middle}",
    "altered time": "UPDATE audit_entry SET at = '2020-01-01 00:00:00' WHERE \"index\" = {middle}",
    "tail cut": 'DELETE FROM audit_entry WHERE "index" > {middle}',
    "added": "INSERT INTO audit_entry VALUES (99999999, '2026-01-01', 'a', 'b', 'c', 'd', '{{}}')",
    "tree row changed": "UPDATE audit_tree SET size = size + 1, frontier = frontier",
    "head altered": "UPDATE audit_signed_head SET at = '2020-01-01 00:00:00'",
}


@pytest.mark.parametrize("name", TAMPERING)
def test_tampering_behind_the_triggers_is_found(db, name, write, sign_head):
    indexes = write(5)
    sign_head()
    assert queries.verdict().whole
    statement = TAMPERING[name].format(middle=indexes.start + 2)
    if name == "tree row changed":
        behind_the_triggers("SELECT 1")
        Tree.objects.update(frontier=b"\1" * len(bytes(Tree.objects.get().frontier)))
    else:
        behind_the_triggers(statement)
    verdict = queries.verdict()
    assert not verdict.whole
    assert verdict.finding
    assert queries.verify() == verdict.findings


def test_a_tail_cut_with_a_mended_tree_row_is_found_by_the_signed_head(db, write, sign_head):
    indexes = write(5)
    sign_head()
    behind_the_triggers(f'DELETE FROM audit_entry WHERE "index" > {indexes.start}')
    leaves = [leaf_hash(e.line()) for e in queries.walk(indexes.start + 1)]
    grown = Frontier().extended(leaves)
    Tree.objects.update(size=grown.size, frontier=grown.packed())
    assert any("cut off" in finding for finding in queries.verdict().findings)


def test_a_missing_tree_row_stops_every_action(db, actor, now):
    behind_the_triggers("DELETE FROM audit_tree")
    with pytest.raises(TreeIsBroken):
        record_entry(actor=actor, now=now, action="test.x", subject="x:1")


def test_a_head_is_signed_once_per_growth(db, write, sign_head, key):
    write(2)
    head = sign_head()
    assert head is not None
    assert sign_head() is None
    write(1)
    assert sign_head().size == head.size + 1
    assert queries.signed_heads(limit=1)[0].public_key == key.public_key().public_bytes_raw()


def test_a_signature_that_does_not_verify_is_not_kept(db, write, key, now):
    write(1)
    before = queries.signed_heads()
    with pytest.raises(CannotKeepHead):
        keep_signed_head(
            sign=lambda text: key.sign(text + b"x"),
            public_key=key.public_key().public_bytes_raw(),
            now=now,
        )
    assert queries.signed_heads() == before
