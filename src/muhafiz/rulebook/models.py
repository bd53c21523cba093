"""Values and proposals. A value's row is never changed: a newer one takes precedence."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models


class ValuesAreHistory(RuntimeError):  # noqa: N818 - named for what is wrong
    """Somebody tried to change or remove a value that stands in the rulebook."""


class OnlyAdded(models.QuerySet[Any]):
    """Rows that are added and read, never changed."""

    def update(self, **kwargs: Any) -> NoReturn:
        """Refused."""
        raise ValuesAreHistory(f"Propose a new value instead of changing {sorted(kwargs)}.")

    def delete(self) -> NoReturn:
        """Refused."""
        raise ValuesAreHistory("Propose a new value instead of removing one.")


class Value(models.Model):
    """A value as it was agreed. `value` is JSON text; `origin` is "local" or "profile:name"."""

    key = models.CharField(max_length=120)
    value = models.TextField()
    unknown = models.BooleanField(default=False)
    valid_from = models.DateTimeField(null=True)
    valid_to = models.DateTimeField(null=True)
    source = models.TextField()
    note = models.TextField(default="")
    standing = models.CharField(max_length=1)
    origin = models.CharField(max_length=80)
    digest = models.CharField(max_length=64)
    proposed_by = models.TextField()
    approved_by = models.TextField()
    entered_at = models.DateTimeField()

    objects = OnlyAdded.as_manager()

    class Meta:
        db_table = "rulebook_value"
        indexes = [models.Index(fields=["key", "-id"], name="rulebook_by_key")]

    def __str__(self) -> str:
        return f"{self.key} ({self.origin})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add the row; a row that stands already is refused."""
        if self.pk is not None:
            raise ValuesAreHistory(f"Propose a new value instead of changing {self.key}.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:  # noqa: ARG002 - Django's signature
        """Refused."""
        raise ValuesAreHistory(f"Propose a new value instead of removing {self.key}.")


class Proposal(models.Model):
    """A value that one person proposes and another decides on."""

    key = models.CharField(max_length=120, db_index=True)
    value = models.TextField()
    unknown = models.BooleanField(default=False)
    valid_from = models.DateTimeField(null=True)
    valid_to = models.DateTimeField(null=True)
    source = models.TextField()
    note = models.TextField(default="")
    standing = models.CharField(max_length=1)
    state = models.CharField(max_length=10, default="proposed", db_index=True)
    proposed_by = models.TextField()
    proposed_name = models.TextField()
    proposed_at = models.DateTimeField()
    decided_by = models.TextField(default="")
    decided_name = models.TextField(default="")
    decided_at = models.DateTimeField(null=True)
    reason = models.TextField(default="")

    class Meta:
        db_table = "rulebook_proposal"

    def __str__(self) -> str:
        return f"proposal {self.pk} of {self.key}"
