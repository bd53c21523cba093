"""The ledger of the one door out: what went to whom, and what was refused."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class LedgerEntry(models.Model):
    """One decision of the gate. `refusal` is empty when the thing was let out."""

    item_kind = models.CharField(max_length=40)
    item_identifier = models.CharField(max_length=200)
    item_title = models.CharField(max_length=500)
    item_digest = models.CharField(max_length=64)
    tlp = models.CharField(max_length=40)  # as let out; as claimed when refused
    organizations = models.TextField(blank=True)  # their numbers, ascending, parted by blanks
    audience_kind = models.CharField(max_length=20)
    audience_identifier = models.CharField(max_length=200)
    audience_name = models.CharField(max_length=300)
    decided_at = models.DateTimeField(db_index=True)
    decided_by = models.CharField(max_length=200)
    refusal = models.CharField(max_length=60, blank=True)
    refusal_text = models.TextField(blank=True)
    recalled_at = models.DateTimeField(null=True)
    recalled_by = models.CharField(max_length=200, blank=True)
    recall_reason = models.TextField(blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["item_kind", "item_identifier"], name="release_item"),
            models.Index(
                fields=["audience_kind", "audience_identifier", "decided_at"],
                name="release_audience",
            ),
            models.Index(fields=["item_digest"], name="release_digest"),
        ]

    def __str__(self) -> str:
        return f"{self.item_kind}:{self.item_identifier} to {self.audience_name}"
