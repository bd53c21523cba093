"""What other rooms get to see of the constituency: frozen values, never rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from muhafiz.common.refusal import Refusal


@dataclass(frozen=True, slots=True)
class OrganizationFacts:
    """An organization as it stands now."""

    id: int
    public_id: UUID
    name_en: str
    name_ur: str
    sector: str  # the rulebook's code; empty: none
    region: str  # where its seat is: the rulebook's code; empty: unknown
    language: str
    parent_id: int | None
    retired: bool
    merged_into_id: int | None

    def name(self, language: str) -> str:
        """The name in `language` where there is one, else in English."""
        return self.name_ur if language == "ur" and self.name_ur else self.name_en


@dataclass(frozen=True, slots=True)
class ClaimFacts:
    """A claim with its owner. Dates are UTC days, `valid_to` is the first day it holds no more."""

    id: int
    organization_id: int
    kind: str  # address, domain, asn
    text: str
    valid_from: date | None
    valid_to: date | None
    origin: str  # automatic, manual
    source: str
    note: str


@dataclass(frozen=True, slots=True)
class ContactFacts:
    """One version of a contact: (id, version) names it for ever."""

    id: int
    version: int
    address: str
    name: str
    role: str  # 24/7, abuse, ciso, press
    language: str  # the contact's, else the organization's
    certificate: str | None  # OpenPGP, armored
    organization_id: int
    hours: str  # on-call hours as text; empty: always
    origin: str
    source: str
    fingerprint: str
    valid_from: date | None
    valid_to: date | None
    confirmed_at: datetime | None
    key_expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class AskFacts:
    """A letter that asked a contact whether it is still right; `right` None: no answer yet."""

    contact_id: int
    version: int
    asked_at: datetime
    asked_by: str
    answered_at: datetime | None
    right: bool | None
    words: str


@dataclass(frozen=True, slots=True)
class InhibitionFacts:
    """Why no letters go out, and until when."""

    id: int
    organization_id: int | None
    claim_id: int | None
    classes: str
    until: datetime
    reason: str
    created_at: datetime
    created_by: str
    lifted_at: datetime | None


@dataclass(frozen=True, slots=True)
class ConflictFacts:
    """One network, domain or ASN claimed by several organizations at the same time.

    All claims have equal standing (all manual or all automatic). `winner` is the claim that
    attribution takes today, by the rules in docs/constituency.md; NULL when none holds today.
    """

    kind: str
    text: str
    origin: str
    claims: tuple[ClaimFacts, ...]
    winner: int | None


@dataclass(frozen=True, slots=True)
class ChangeFacts:
    """One line of an organization's history."""

    at: datetime
    by: str
    action: str
    details: dict[str, object]


@dataclass(frozen=True, slots=True)
class ImportFacts:
    """One file that was taken in."""

    id: int
    kind: str  # csv, rpsl, delegated
    source: str
    file_name: str
    digest: str  # SHA-256 of the file
    created_at: datetime
    created_by: str
    undone_at: datetime | None
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class OrganizationRow:
    """One line of the list of constituents."""

    facts: OrganizationFacts
    networks: int
    domains: int
    asns: int
    contacts: int
    unconfirmed: int = 0  # contacts nobody confirmed for long
    keys: int = 0  # contacts with a key that holds
    keys_ending: int = 0  # of them, those that end soon


@dataclass(frozen=True, slots=True)
class Cares:
    """From when on something about a contact is a care: moments, so that a query can ask.

    `day`: the UTC day on which a contact must hold to be one.
    """

    confirmed_before: datetime
    key_ends_before: datetime
    day: date


@dataclass(frozen=True, slots=True)
class Merging:
    """What merging two organizations would move, and what stands in the way (`obstacle`)."""

    kept: OrganizationFacts
    absorbed: OrganizationFacts
    claims: tuple[ClaimFacts, ...]
    contacts: tuple[ContactFacts, ...]
    handles: tuple[tuple[str, str], ...]
    inhibitions: tuple[InhibitionFacts, ...]
    children: tuple[OrganizationFacts, ...]
    doubled: frozenset[str]  # claims that the kept one has as well
    obstacle: Refusal | None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the list; `pages` is at least 1."""

    rows: tuple[OrganizationRow, ...]
    number: int
    pages: int
    total: int


@dataclass(frozen=True, slots=True)
class ClaimPage:
    """A page of an organization's claims; `pages` is at least 1."""

    rows: tuple[ClaimFacts, ...]
    number: int
    pages: int
    total: int


@dataclass(frozen=True, slots=True)
class OrganizationPage:
    """Everything the page of one organization shows."""

    facts: OrganizationFacts
    note: str
    handles: tuple[tuple[str, str], ...]  # (source, handle)
    ancestors: tuple[OrganizationFacts, ...]  # nearest first
    children: tuple[OrganizationFacts, ...]
    claims: tuple[ClaimFacts, ...]  # at most `claims_shown`, current ones first
    claims_total: int
    contacts: tuple[ContactFacts, ...]
    inhibitions: tuple[InhibitionFacts, ...]  # those in force that end first
    inhibitions_total: int
    conflicts: tuple[ConflictFacts, ...]
    history: tuple[ChangeFacts, ...]  # newest first


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """What a constituent asks to be added or ended, and what was decided."""

    id: int
    organization_id: int
    wanted: str  # add, end
    kind: str
    text: str
    claim_id: int | None
    note: str
    state: str  # waiting, approved, refused, withdrawn
    asked_at: datetime
    asked_by: str
    asked_by_id: str  # as the audit log names who asked: "person:7"
    decided_at: datetime | None
    decided_by: str
    reason: str
