"""Who is protected: organizations, what is theirs, whom to write to.

All dates are UTC days and half open: a thing holds from `valid_from` (NULL: since ever) up to,
but not on, `valid_to` (NULL: until further notice). Rows are never deleted: letters and events
point at them for years. What was entered by mistake is withdrawn: it then never held.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q


class Import(models.Model):
    """One file taken in, with what is needed to undo it."""

    kind = models.CharField(max_length=16)  # csv, rpsl, delegated
    source = models.CharField(max_length=64)  # "csv", or the registry: "apnic"
    file_name = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)  # SHA-256 of the file, hexadecimal
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=128)
    undone_at = models.DateTimeField(null=True)
    counts = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.kind} {self.file_name}"


class ImportChange(models.Model):
    """One row that an import altered: its values before and after."""

    run = models.ForeignKey(Import, models.CASCADE, related_name="changes")
    table = models.CharField(max_length=16)  # organization, claim, contact
    row = models.BigIntegerField()
    before = models.JSONField()
    after = models.JSONField()

    def __str__(self) -> str:
        return f"{self.table}:{self.row}"


class Organization(models.Model):
    """A constituent, or a part of one."""

    public_id = models.UUIDField(unique=True, default=uuid.uuid4)
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children")
    name_en = models.CharField(max_length=200, db_index=True)
    name_ur = models.CharField(max_length=200, blank=True)
    sector = models.CharField(max_length=40, blank=True, db_index=True)  # the rulebook's code
    region = models.CharField(max_length=40, blank=True, db_index=True)  # the rulebook's code
    language = models.CharField(max_length=8, default="en")
    note = models.TextField(blank=True)
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, related_name="absorbed")
    made_by = models.ForeignKey(Import, models.SET_NULL, null=True, related_name="+")

    def __str__(self) -> str:
        return self.name_en


class PastSector(models.Model):
    """A sector that an organization left: it held up to `valid_to`, after the one before it."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="past_sectors")
    sector = models.CharField(max_length=40, blank=True)
    valid_to = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "valid_to"], name="past_sector_day")
        ]

    def __str__(self) -> str:
        return f"{self.sector} until {self.valid_to}"


class Handle(models.Model):
    """The name by which a registry, or an operator's own list, knows an organization."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="handles")
    source = models.CharField(max_length=64)  # "apnic", "ripe"; "csv" for one's own lists
    handle = models.CharField(max_length=128)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "handle"], name="handle_once_per_source")
        ]

    def __str__(self) -> str:
        return f"{self.source}:{self.handle}"


class Claim(models.Model):
    """A network (CIDR), domain or ASN that belongs to an organization for a time."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="claims")
    kind = models.CharField(max_length=8)  # address, domain, asn
    text = models.CharField(max_length=255)  # canonical: "203.0.113.0/24", "example.org", "AS64500"
    valid_from = models.DateField(null=True)
    valid_to = models.DateField(null=True)
    origin = models.CharField(max_length=9)  # automatic, manual
    source = models.CharField(max_length=64)  # "manual", "csv", or the registry
    note = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)
    made_by = models.ForeignKey(Import, models.SET_NULL, null=True, related_name="+")

    class Meta:
        indexes = [
            models.Index(fields=["kind", "text"], name="claim_text"),
            models.Index(fields=["source", "origin"], name="claim_source"),
        ]

    def __str__(self) -> str:
        return self.text


class Contact(models.Model):
    """A place to write to, whose details change by versions."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="contacts")
    origin = models.CharField(max_length=9)
    source = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)
    made_by = models.ForeignKey(Import, models.SET_NULL, null=True, related_name="+")

    def __str__(self) -> str:
        return f"contact:{self.pk}"


class ContactVersion(models.Model):
    """A contact's details as they stood from `created_at` until superseded; never altered."""

    contact = models.ForeignKey(Contact, models.PROTECT, related_name="versions")
    version = models.IntegerField()
    role = models.CharField(max_length=8)  # 24/7, abuse, ciso, press
    name = models.CharField(max_length=200, blank=True)
    address = models.CharField(max_length=254, db_index=True)
    language = models.CharField(max_length=8, blank=True)  # empty: the organization's
    certificate = models.TextField(blank=True)  # OpenPGP, armored
    fingerprint = models.CharField(max_length=64, blank=True)
    key_expires_at = models.DateTimeField(null=True)  # of the certificate; NULL: never, or none
    hours = models.CharField(max_length=255, blank=True)  # rules.OnCall; empty: always
    valid_from = models.DateField(null=True)
    valid_to = models.DateField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=128)
    superseded_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["contact", "version"], name="contact_version_once"),
            models.UniqueConstraint(
                fields=["contact"],
                condition=Q(superseded_at__isnull=True),
                name="contact_one_current",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.address} ({self.version})"


class ContactAsk(models.Model):
    """A letter that asked a contact whether it is still right, and what was answered."""

    contact = models.ForeignKey(Contact, models.PROTECT, related_name="asks")
    version = models.IntegerField()
    token_digest = models.CharField(max_length=64, unique=True)  # SHA-256 of what the link carries
    asked_at = models.DateTimeField()
    asked_by = models.CharField(max_length=128)
    answered_at = models.DateTimeField(null=True)
    right = models.BooleanField(null=True)
    words = models.CharField(max_length=500, blank=True)  # what is wrong, as they say it

    class Meta:
        indexes = [models.Index(fields=["contact", "asked_at"], name="contact_ask_latest")]

    def __str__(self) -> str:
        return f"ask:{self.pk}"


class Inhibition(models.Model):
    """No letters about something until a moment, because of something."""

    organization = models.ForeignKey(
        Organization, models.CASCADE, null=True, related_name="inhibitions"
    )
    claim = models.ForeignKey(Claim, models.CASCADE, null=True, related_name="inhibitions")
    classes = models.CharField(max_length=64, default="*")  # a pattern of RSIT types: "vulner*"
    until = models.DateTimeField()
    reason = models.CharField(max_length=500)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=128)
    lifted_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.classes} until {self.until}"


class ClaimRequest(models.Model):
    """What a constituent asks for: a network, domain or ASN to be added, or one to be ended."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="requests")
    wanted = models.CharField(max_length=8)  # requests.WANTED
    kind = models.CharField(max_length=8)  # address, domain, asn
    text = models.CharField(max_length=255)  # canonical
    claim = models.ForeignKey(Claim, models.PROTECT, null=True, related_name="requests")
    note = models.CharField(max_length=500, blank=True)
    state = models.CharField(max_length=10, default="waiting")  # requests.STATES
    asked_at = models.DateTimeField()
    asked_by = models.CharField(max_length=128)
    asked_by_id = models.CharField(max_length=200)  # the actor, as the audit log names it
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=128, blank=True)
    reason = models.CharField(max_length=500, blank=True)  # the constituent reads it

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "wanted", "kind", "text"],
                condition=Q(state="waiting"),
                name="claim_request_once",
            )
        ]
        indexes = [models.Index(fields=["state", "asked_at"], name="claim_request_state")]

    def __str__(self) -> str:
        return f"{self.wanted} {self.text}"


class Change(models.Model):
    """One line of an organization's history, as its page shows it; the audit log is the proof."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="history")
    at = models.DateTimeField()
    by = models.CharField(max_length=128)
    action = models.CharField(max_length=64)
    details = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.action} {self.at}"


class State(models.Model):
    """One row whose token changes with everything that attribution depends on."""

    token = models.UUIDField(default=uuid.uuid4)

    def __str__(self) -> str:
        return str(self.token)
