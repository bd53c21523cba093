"""People, their roles, their entry links."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Person(models.Model):
    """Somebody who works with the platform. `organization_id`: a constituent's own people."""

    email = models.CharField(max_length=254, unique=True)
    name = models.CharField(max_length=200)
    language = models.CharField(max_length=10, default="en")
    organization_id = models.BigIntegerField(null=True, db_index=True)
    active = models.BooleanField(default=True)
    registered_at = models.DateTimeField()

    class Meta:
        db_table = "accounts_person"

    def __str__(self) -> str:
        return self.email


class Role(models.Model):
    """A role given to a person, until it is taken back."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="roles")
    role = models.CharField(max_length=40)
    granted_at = models.DateTimeField()
    granted_by = models.TextField()
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.TextField(default="")

    class Meta:
        db_table = "accounts_role"
        constraints = [
            models.UniqueConstraint(
                fields=["person", "role"],
                condition=Q(revoked_at__isnull=True),
                name="accounts_role_held_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.role} of {self.person_id}"


class EntryLink(models.Model):
    """A link that lets a person in once; only its digest is kept."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE)
    digest = models.CharField(max_length=64, unique=True)
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "accounts_entry_link"

    def __str__(self) -> str:
        return f"entry of {self.person_id}"


class EntryClock(models.Model):
    """The one row (id 1) with the latest moment at which a link was issued or tried."""

    id = models.SmallIntegerField(primary_key=True)
    latest = models.DateTimeField()

    class Meta:
        db_table = "accounts_entry_clock"

    def __str__(self) -> str:
        return self.latest.isoformat()
