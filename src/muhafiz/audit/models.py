"""The log's tables. They only grow: triggers refuse changes, and Django's `flush` passes them by.

`managed = False` is set after the migration made the tables: an append-only table is none of
flush's business (a trigger would refuse it anyway).
"""

from __future__ import annotations

from django.db import models


class LogEntry(models.Model):
    """One leaf of the tree. `index` counts from 0 without gaps."""

    # An automatic key becomes SQLite's row id: one identity, so no second way to replace a row.
    index = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_index=True)
    actor = models.TextField(db_index=True)
    name = models.TextField()
    action = models.TextField(db_index=True)
    subject = models.TextField(db_index=True)
    details = models.TextField()

    class Meta:
        db_table = "audit_entry"
        managed = False

    def __str__(self) -> str:
        return f"{self.index} {self.action} {self.subject}"


class Tree(models.Model):
    """The one row that a writer locks: how far the tree has grown."""

    id = models.SmallIntegerField(primary_key=True)
    log = models.UUIDField()
    size = models.BigIntegerField()
    frontier = models.BinaryField()

    class Meta:
        db_table = "audit_tree"
        managed = False

    def __str__(self) -> str:
        return f"{self.log} of {self.size}"


class SignedHead(models.Model):
    """A head of the tree, signed with Ed25519 (RFC 8032)."""

    id = models.BigAutoField(primary_key=True)
    size = models.BigIntegerField(db_index=True)
    root = models.BinaryField()
    at = models.DateTimeField()
    public_key = models.BinaryField()
    signature = models.BinaryField()

    class Meta:
        db_table = "audit_signed_head"
        managed = False

    def __str__(self) -> str:
        return f"head of {self.size}"
