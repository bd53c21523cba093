"""What other rooms get to see of policies and notices: frozen values, never rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
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
class SimulationFacts:
    """A policy that was tried on the past. `result` is None until its job has ended well."""

    id: int
    title: str
    policy: dict[str, Any]
    days: int
    job_id: int | None
    made_at: datetime
    made_by: str
    finished_at: datetime | None
    result: dict[str, Any] | None  # a `simulation.Comparison` as data


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


@dataclass(frozen=True, slots=True)
class FindingFacts:
    """A finding. `assets` are those seen lately; `until` is the first day without the exception."""

    id: int
    number: str
    organization_id: int
    taxonomy: str
    type: str
    identifier: str  # empty: none finer than the type
    severity: str  # empty: no source said
    rank: int  # of the severity: -1 (unknown) to 4 (critical)
    tlp: str
    first_seen: datetime
    last_seen: datetime
    events: int
    assets: int
    state: str  # finding_rules.STATES
    state_at: datetime
    until: date | None
    review: str  # of "not ours": waiting, accepted, rejected, or empty
    reopened: int  # how often
    created_at: datetime

    @property
    def name(self) -> str:
        """What tells it apart from the owner's others."""
        return self.identifier or self.type


@dataclass(frozen=True, slots=True)
class ResponseFacts:
    """One line of a finding's history."""

    kind: str  # finding_rules.ANSWERS or NOTED
    asset: str  # empty: the whole finding
    until: date | None
    reason: str
    state: str  # of the finding after it
    at: datetime
    by: str  # as the audit log names it: "person:7"
    by_name: str
    by_owner: bool


@dataclass(frozen=True, slots=True)
class AssetFacts:
    """One thing to mend: a service, machine, name or account, as the lake has it."""

    asset: str
    address: str | None
    name: str | None
    port: int | None
    ports: int
    protocol: str | None
    network: str | None
    network_id: int | None  # the claim that matched
    malware: str | None
    severity: str
    events: int
    first_seen: datetime
    last_seen: datetime
    state: str
    until: date | None
    answered: bool  # it has an answer of its own


@dataclass(frozen=True, slots=True)
class ExposureDay:
    """What one UTC day tells of some findings."""

    day: date
    severity: str
    events: int
    assets: int


@dataclass(frozen=True, slots=True)
class WeekFacts:
    """What changed within a week, as findings' ids."""

    new: frozenset[int]  # first seen within it
    gone: frozenset[int]  # fixed or gone quiet within it
    worse: frozenset[int]  # more assets on the latest day than on the last day of the week before
