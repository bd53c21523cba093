"""The outbox: messages, their bytes, addresses that take no more mail, channels that rest."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models


class Message(models.Model):
    """One message. The key (policy, recipient, window) is unique: see invariant 3."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    policy = models.CharField(max_length=100)
    recipient = models.CharField(max_length=100)
    window = models.CharField(max_length=100)
    ledger_id = models.BigIntegerField(db_index=True)
    item = models.CharField(max_length=250)  # "notice:…", as the ledger names it
    tlp = models.CharField(max_length=20)
    address = models.CharField(max_length=320)
    recipient_name = models.CharField(max_length=300, blank=True)
    language = models.CharField(max_length=35)
    subject = models.CharField(max_length=500)
    reference = models.CharField(max_length=100, blank=True, db_index=True)
    state = models.CharField(max_length=10)
    reason = models.TextField(blank=True)  # why it is held, failed, unsure, cancelled or late
    encrypted = models.BooleanField(default=False)
    private = models.BooleanField(default=False)  # for its recipient's eyes only: sealed, then gone
    size = models.IntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    message_id = models.CharField(max_length=320, unique=True)
    sender = models.CharField(max_length=320)
    channel = models.CharField(max_length=40, blank=True)
    attempts = models.IntegerField(default=0)
    created_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField(null=True)
    claim = models.UUIDField(null=True)  # the hand-over under way, or the last one
    handed_at = models.DateTimeField(null=True)  # when it was last marked "sending"
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["policy", "recipient", "window"], name="notifications_once"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["state", "next_attempt_at"], name="notifications_due"),
            models.Index(fields=["state", "created_at"], name="notifications_state"),
            models.Index(fields=["created_at"], name="notifications_created"),
            models.Index(fields=["recipient", "created_at"], name="notifications_recipient"),
            models.Index(fields=["address"], name="notifications_address"),
            models.Index(fields=["item"], name="notifications_item"),
        ]

    def __str__(self) -> str:
        return f"{self.message_id} to {self.address}: {self.state}"


class MessageBytes(models.Model):
    """The bytes of one message, zstd.

    `sealed` holds instead the unencrypted inner part of a message that waits for a usable
    certificate: sealed by the keyring, never sent as it is. Those of a private message are always
    sealed, and removed once it is sent.
    """

    message = models.OneToOneField(
        Message, on_delete=models.CASCADE, primary_key=True, related_name="content"
    )
    compressed = models.BinaryField()
    sealed = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"bytes of {self.message_id}"


class RetiredAddress(models.Model):
    """An address that takes no more mail. `restored_at` is set when the desk takes it back."""

    address = models.CharField(max_length=320)  # as `rules.address_key` writes it
    reason = models.TextField()
    evidence = models.TextField(blank=True)  # the peer's words
    message_id = models.CharField(max_length=320, blank=True)
    retired_at = models.DateTimeField()
    retired_by = models.CharField(max_length=200)
    restored_at = models.DateTimeField(null=True)
    restored_by = models.CharField(max_length=200, blank=True)
    restore_reason = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["address"],
                condition=models.Q(restored_at__isnull=True),
                name="notifications_retired_once",
            ),
        ]

    def __str__(self) -> str:
        return self.address


class ChannelRest(models.Model):
    """A channel that cannot be reached rests until then, with its messages still queued."""

    channel = models.CharField(max_length=40, primary_key=True)
    failures = models.IntegerField(default=0)
    until = models.DateTimeField(null=True)
    reason = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.channel
