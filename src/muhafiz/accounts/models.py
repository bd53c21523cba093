"""People, their roles, their ways in, and what they chose."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q


class PersonManager(BaseUserManager["Person"]):
    """Finds people by their address, in whatever case it is written."""

    def get_by_natural_key(self, username: str | None) -> Person:
        """The person of this address.

        Raises:
            Person.DoesNotExist: nobody is registered so.
        """
        return self.get(email=(username or "").strip().lower())


class Person(AbstractBaseUser):
    """Somebody who works with the platform. `organization_id`: a constituent's own people.

    Who signs in is a person: this is Django's user model. Rights come from `Role` alone.
    """

    last_login = None  # `Session` knows when, from where and how

    email = models.CharField(max_length=254, unique=True)
    name = models.CharField(max_length=200)
    language = models.CharField(max_length=10, default="en")
    organization_id = models.BigIntegerField(null=True, db_index=True)
    active = models.BooleanField(default=True)
    registered_at = models.DateTimeField()
    second_factor = models.BooleanField(default=False)  # a TOTP app or a passkey is set up
    density = models.CharField(max_length=20, default="comfortable")
    shortcuts = models.BooleanField(default=True)

    objects: ClassVar[PersonManager] = PersonManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        db_table = "accounts_person"

    def __str__(self) -> str:
        return self.email

    @property
    def is_active(self) -> bool:  # type: ignore[override]  # Django asks by this name
        """Whether they are not suspended."""
        return self.active


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
    demonstration = models.BooleanField(default=False)  # lets nobody in anywhere else

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


class Session(models.Model):
    """A browser that is signed in, until it ends. Only the digest of its key is kept."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="sessions")
    digest = models.CharField(max_length=64, unique=True)
    way = models.CharField(max_length=60)  # how the person came in: "password", "link", …
    address = models.CharField(max_length=64, default="")
    browser = models.CharField(max_length=300, default="")
    opened_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    confirmed_at = models.DateTimeField()  # when the person last proved who they are
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=100, default="")
    ended_why = models.CharField(max_length=40, default="")

    class Meta:
        db_table = "accounts_session"
        indexes = [models.Index(fields=["person", "ended_at"], name="accounts_session_open")]

    def __str__(self) -> str:
        return f"session of {self.person_id}"


class Tries(models.Model):
    """Tries to sign in as one account, or from one address; counted before a hash is computed."""

    key = models.CharField(max_length=64, primary_key=True)  # a digest of which
    count = models.IntegerField(default=0)
    latest = models.DateTimeField()

    class Meta:
        db_table = "accounts_tries"

    def __str__(self) -> str:
        return f"{self.count} tries"


class Invitation(models.Model):
    """A letter asks somebody to join in one role; only the digest of its token is kept."""

    email = models.CharField(max_length=254)
    name = models.CharField(max_length=200)
    language = models.CharField(max_length=10)
    role = models.CharField(max_length=40)
    organization_id = models.BigIntegerField(null=True, db_index=True)
    digest = models.CharField(max_length=64, unique=True)
    invited_by = models.CharField(max_length=100)
    inviter = models.ForeignKey(
        Person, on_delete=models.CASCADE, null=True, related_name="invitations"
    )
    invited_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "accounts_invitation"

    def __str__(self) -> str:
        return f"invitation of {self.email}"


class AddressChange(models.Model):
    """A person's wish for another address, until a letter to it is answered."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE)
    email = models.CharField(max_length=254)
    digest = models.CharField(max_length=64, unique=True)
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "accounts_address_change"

    def __str__(self) -> str:
        return f"address of {self.person_id}"


class SavedView(models.Model):
    """A list's filters under a name: its owner's own, or everybody's of the same house."""

    owner = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="views")
    organization_id = models.BigIntegerField(null=True)  # the owner's
    page = models.CharField(max_length=60)
    name = models.CharField(max_length=80)
    query = models.CharField(max_length=2000)
    shared = models.BooleanField(default=False)
    saved_at = models.DateTimeField()

    class Meta:
        db_table = "accounts_saved_view"
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "page", "name"], name="accounts_saved_view_once"
            )
        ]

    def __str__(self) -> str:
        return self.name
