"""CERTs and the steps of their mandates; a step is added, never changed."""

from __future__ import annotations

import uuid

from django.db import models


class Cert(models.Model):
    """A CERT in one role. An organization that fills several roles has several rows."""

    public_id = models.UUIDField(unique=True, default=uuid.uuid4)
    kind = models.CharField(max_length=16)
    sector = models.CharField(max_length=40, default="", blank=True)
    name_en = models.CharField(max_length=200)
    name_ur = models.CharField(max_length=200, default="", blank=True)
    organization_id = models.BigIntegerField(null=True, db_index=True)
    entered_at = models.DateTimeField()

    class Meta:
        db_table = "mandates_cert"

    def __str__(self) -> str:
        return self.name_en


class MandateStep(models.Model):
    """One step: the state it led to, from when it holds, and what it rests on."""

    cert = models.ForeignKey(Cert, on_delete=models.PROTECT, related_name="steps")
    number = models.PositiveIntegerField()  # 1, 2, … per CERT
    state = models.CharField(max_length=16)
    effective_at = models.DateTimeField()
    gazette_number = models.CharField(max_length=100, default="", blank=True)
    gazette_date = models.DateField(null=True)
    readiness = models.TextField(default="", blank=True)  # JSON text
    reason = models.TextField(default="", blank=True)
    taken_by = models.TextField()
    taken_at = models.DateTimeField()

    class Meta:
        db_table = "mandates_step"
        constraints = [
            models.UniqueConstraint(fields=["cert", "number"], name="mandates_step_once")
        ]

    def __str__(self) -> str:
        return f"{self.cert_id}: {self.state}"
