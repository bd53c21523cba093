"""The CERT's own OpenPGP certificates; the secret part is sealed."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class SigningCertificate(models.Model):
    """One certificate of the house. At most one is current: not retired, the latest made."""

    fingerprint = models.CharField(max_length=64, unique=True)
    user_id = models.CharField(max_length=500)
    public = models.TextField()  # armored
    sealed_secret = models.BinaryField()
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=200)
    expires_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["retired_at", "made_at"], name="keyring_current")]

    def __str__(self) -> str:
        return self.fingerprint
