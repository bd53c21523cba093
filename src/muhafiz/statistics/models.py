"""Published figures: the bytes as they were released, never changed."""

from __future__ import annotations

from django.db import models


class WeeklyFigures(models.Model):
    """One ISO week's figures. `content` is canonical JSON, the very bytes the gate let out."""

    week = models.CharField(max_length=8, unique=True)  # "2026-W47"
    number = models.CharField(max_length=100, unique=True)
    verify_code = models.CharField(max_length=20)  # as people type it, with hyphens
    content = models.BinaryField()
    digest = models.CharField(max_length=64)  # SHA-256 of `content`, hex
    published_at = models.DateTimeField()

    class Meta:
        db_table = "statistics_weekly_figures"

    def __str__(self) -> str:
        return self.week
