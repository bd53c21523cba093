"""The press: numbers without gaps, and documents that can be checked by anybody."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Series(models.Model):
    """The last number given out in one series and year; its row is locked while one is taken."""

    name = models.CharField(max_length=60)
    year = models.IntegerField()
    last = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["name", "year"], name="publications_series_year"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.year}"


class Document(models.Model):
    """One published document: never changed, only withdrawn (a tombstone, the number kept)."""

    number = models.CharField(max_length=100, unique=True)
    title = models.CharField(max_length=500)
    digest = models.CharField(max_length=64)  # SHA-256 of the document's bytes or facts, hex
    verify_code = models.CharField(max_length=20, unique=True)  # without hyphens
    ledger_id = models.BigIntegerField(db_index=True)
    tlp = models.CharField(max_length=20)
    kept_at = models.DateTimeField(db_index=True)
    kept_by = models.CharField(max_length=200)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.CharField(max_length=200, blank=True)
    withdrawal_reason = models.TextField(blank=True)
    replaced_by = models.CharField(max_length=100, blank=True)  # the number of the next version

    def __str__(self) -> str:
        return self.number
