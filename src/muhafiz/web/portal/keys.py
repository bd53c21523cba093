"""What a contact's OpenPGP key is good for, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from muhafiz.constituency.facts import ContactFacts
from muhafiz.keyring.openpgp import certificate_facts
from muhafiz.keyring.rules import BadCertificate

_SOON = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Key:
    """A contact's key: fingerprint in groups of four, expiry, and why it cannot be used."""

    fingerprint: str
    expires: datetime | None
    problem: BadCertificate | None

    def soon(self, now: datetime) -> bool:
        """Whether it cannot be used, or not for long."""
        return self.problem is not None or (self.expires is not None and self.expires < now + _SOON)


def key_of(contact: ContactFacts, now: datetime) -> Key | None:
    """The key of a contact; None when there is none."""
    if not contact.certificate:
        return None
    try:
        facts = certificate_facts(contact.certificate, at=now)
    except BadCertificate as problem:
        return Key(grouped(contact.fingerprint), None, problem)
    return Key(grouped(facts.fingerprint), facts.expires, None)


def expires_soon(contact: ContactFacts, now: datetime) -> bool:
    """Whether the contact has a key that needs to be renewed."""
    key = key_of(contact, now)
    return key is not None and key.soon(now)


def grouped(fingerprint: str) -> str:
    """A fingerprint as people compare it: capitals, in groups of four."""
    text = fingerprint.upper()
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))
