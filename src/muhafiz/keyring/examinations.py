"""Keys: who can read them, how long they last, and whether the audit log is signed and whole."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings

from muhafiz.audit.queries import current_head, entry, signed_heads
from muhafiz.health.registry import examination
from muhafiz.health.rules import Ailment, Fact, Finding, fact
from muhafiz.keyring.audit_checks import last_answer
from muhafiz.keyring.queries import own_certificate
from muhafiz.keyring.rules import NoSigningCertificate

OPEN_KEY = Ailment(
    "open-key",
    "warning",
    "Others on this machine can read {file}.",
    "Run: `chmod 600 {file}`",
)
NO_CERTIFICATE = Ailment(
    "no-certificate",
    "fault",
    "Letters cannot be signed: {reason}.",
    "Run: `muhafiz keys renew`, then publish the new key.",
)
CERTIFICATE_ENDS = Ailment(
    "certificate-ends",
    "warning",
    "The key that signs letters ends at {end}.",
    "Run: `muhafiz keys renew`, then publish the new key.",
)
NOT_SIGNED = Ailment(
    "audit-not-signed",
    "fault",
    "The audit log grows, but its head was last signed at {since}.",
    "Look why the work “keyring.sign_audit_head” is not done.",
    route="jobs",
)
NOT_WHOLE = Ailment(
    "audit-not-whole",
    "fault",
    "The audit log is not whole: {reason}",
    "Leave the database as it is, export the log (`muhafiz audit export`) and hold it against a "
    "head that was kept elsewhere.",
    route="job",
)

_RENEWED_BEFORE = timedelta(days=45)  # CSAF wants 30 days of validity at all times
_SIGNED_WITHIN = timedelta(minutes=10)  # a job signs every minute
_SHOWN = 300  # letters of what a check found


@examination("keys", "Keys")
def keys(now: datetime) -> Iterator[Finding | Fact]:
    """Files that only the platform may read, and the certificate that signs letters."""
    for path in sorted(Path(settings.KEYS).glob("*")):
        if path.is_file() and path.stat().st_mode & 0o077:
            yield OPEN_KEY.found(file=str(path))
    try:
        own = own_certificate(at=now)
    except NoSigningCertificate as no:
        yield NO_CERTIFICATE.found(reason=str(no.params["reason"]))
        return
    if own.expires_at - now < _RENEWED_BEFORE:
        yield CERTIFICATE_ENDS.found(end=own.expires_at)
    yield fact(
        "Letters are signed with {fingerprint}, good until {end}.",
        fingerprint=own.fingerprint,
        end=own.expires_at,
    )


@examination("audit", "Audit log")
def audit_log(now: datetime) -> Iterator[Finding | Fact]:
    """Whether its head is signed in time, and what the last check of the whole log found."""
    head = current_head()
    signed = next(iter(signed_heads(limit=1)), None)
    first = entry(signed.size if signed is not None else 0)  # the first that no head covers
    if first is not None and now - first.at > _SIGNED_WITHIN:
        yield NOT_SIGNED.found(since=signed.at if signed is not None else first.at)
    checked = last_answer()
    if checked is not None and checked.state == "not-whole":
        reason = checked.job.error.strip()[:_SHOWN]
        yield NOT_WHOLE.found(reason=reason, route_args={"job_id": checked.job.job_id})
    yield fact("Entries: {entries}.", entries=head.size)
    if checked is not None and checked.state == "whole":
        yield fact("It was last found whole at {moment}.", moment=checked.job.queued_at)
