"""What a caller hands to the post office."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from muhafiz.release.proof import Released

State = Literal["queued", "sending", "sent", "failed", "unsure", "held", "cancelled"]

#: Every state a message can be in, in the order of its life.
STATES: tuple[State, ...] = ("queued", "sending", "sent", "failed", "unsure", "held", "cancelled")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a message; `media_type` is "text/csv" or the like."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class MessageDraft:
    """A letter before it becomes bytes.

    Attributes:
        recipient_address: One mail address.
        recipient_name: For the To header; may be empty.
        language: BCP 47 tag of the text ("en", "ur").
        subject: One line; blanks and line ends are folded into single spaces.
        text: Plain text, any line ends.
        attachments: Files, in order.
        certificate: The recipient's OpenPGP certificate, armored, or None. With one, the message
            goes encrypted and signed (RFC 3156) or not at all.
        sender_reference: The number that the recipient quotes; the outer subject of an encrypted
            message shows only this.
        private: It carries a secret of its recipient, such as a link to sign in: nobody of the
            desk reads it, and it is not kept once it is sent.
    """

    recipient_address: str
    recipient_name: str
    language: str
    subject: str
    text: str
    attachments: tuple[Attachment, ...] = ()
    certificate: str | None = None
    sender_reference: str = ""
    private: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """One message to be enqueued: what, by leave of the gate, and its key in the outbox.

    At most one message is ever sent automatically for each (policy, recipient, window):
    `policy` names the rule that asks for it, `recipient` whom it is for (an organization, a
    contact), `window` the stretch of time or occasion it covers.
    """

    released: Released
    draft: MessageDraft
    policy: str
    recipient: str
    window: str


@dataclass(frozen=True, slots=True)
class Letter:
    """One message in the outbox, as the desk lists it (moments in UTC, size in bytes)."""

    id: UUID
    policy: str
    recipient: str
    window: str
    ledger_id: int
    address: str
    recipient_name: str
    language: str
    subject: str
    reference: str
    tlp: str
    state: State
    reason: str
    encrypted: bool
    private: bool
    size: int
    sha256: str
    message_id: str
    channel: str
    attempts: int
    created_at: datetime
    next_attempt_at: datetime | None
    handed_at: datetime | None
    finished_at: datetime | None
