"""What other rooms get to see of policies and notices: frozen values, never rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class PolicyFacts:
    """One version of a policy. See docs/notices.md for what each field does."""

    id: int
    code: str
    title: str
    classes: str
    feed: str
    sector: str
    organization_id: int | None
    cadence: str
    threshold: int
    resend_days: int
    attach_xarf: bool
    tlp: str
    valid_from: datetime
    valid_to: datetime | None


@dataclass(frozen=True, slots=True)
class LetterFacts:
    """One letter of a notice: to which version of which contact, as which outbox message."""

    contact_id: int
    contact_version: int
    message_id: UUID


@dataclass(frozen=True, slots=True)
class NoticeFacts:
    """A notice. `number` and `verify_code` are empty unless it was released."""

    id: int
    public_id: UUID
    number: str
    organization_id: int
    policy_code: str
    window: str
    state: str  # released, held, cancelled, undeliverable, refused
    reason: str
    tlp: str
    events: int
    classes: dict[str, int]  # "taxonomy/type" → events
    digest: str
    verify_code: str
    letters: tuple[LetterFacts, ...]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NoticePreview:
    """What a notice would be if its policy's window closed now. Nothing was written."""

    organization_id: int
    organization_name: str
    policy_code: str
    would_be: str  # released, undeliverable, refused
    reason: str
    tlp: str
    events: int
    classes: dict[str, int]
    recipients: tuple[str, ...]  # addresses
    language: str
    text: str  # the letter, with placeholders for number and verify code


@dataclass(frozen=True, slots=True)
class Preview:
    """Who would get what. `notices` holds the first ones; the counts are over all."""

    notices: tuple[NoticePreview, ...]
    letters: int  # organizations that would be told
    decisions: dict[str, int]  # events: tell, withheld, carried, inhibited, refused


@dataclass(frozen=True, slots=True)
class SimulatedWindow:
    """One past window under a policy that is only being tried."""

    window: str
    letters: int
    decisions: dict[str, int]  # events by decision


@dataclass(frozen=True, slots=True)
class RunFacts:
    """One digest run: a policy's closed window."""

    id: int
    policy_code: str
    window: str
    state: str  # sealed, composing, done
    window_start: datetime
    window_end: datetime
    recipients: int
    decisions: dict[str, int]
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Sent:
    """What one call of `send_due_notices` did."""

    gathered: int  # events
    runs: int
    notices: int  # released
    undeliverable: int
    refused: int
