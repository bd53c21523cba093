"""Who is a CERT, and since when."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Prefetch

from muhafiz.mandates import rules
from muhafiz.mandates.models import Cert, MandateStep


@dataclass(frozen=True, slots=True)
class CertFacts:
    """A CERT as it stands at a moment; the gazette is that of its notification."""

    id: int
    public_id: uuid.UUID
    kind: str
    sector: str
    name_en: str
    name_ur: str
    organization_id: int | None
    state: str
    since: datetime
    gazette_number: str
    gazette_date: date | None

    @property
    def may_act_as_sectoral(self) -> bool:
        """Whether it has the powers of a sectoral CERT at that moment."""
        return rules.may_act_as_sectoral(kind=self.kind, state=self.state)


@dataclass(frozen=True, slots=True)
class StepFacts:
    """One step of a mandate; `readiness` is JSON text."""

    number: int
    state: str
    effective_at: datetime
    gazette_number: str
    gazette_date: date | None
    readiness: str
    reason: str
    taken_by: str
    taken_at: datetime


def certs(
    at: datetime, *, kind: str | None = None, sector: str | None = None, state: str | None = None
) -> list[CertFacts]:
    """The CERTs as they stood at `at`, by name; two queries however many there are.

    One that had not been nominated by then is left out.
    """
    rows = Cert.objects.order_by("name_en", "pk")
    if kind is not None:
        rows = rows.filter(kind=kind)
    if sector is not None:
        rows = rows.filter(sector=sector)
    taken = MandateStep.objects.filter(effective_at__lte=at).order_by("number")
    found = rows.prefetch_related(Prefetch("steps", queryset=taken, to_attr="taken"))
    stood = [_facts(row, row.taken) for row in found if row.taken]
    return [cert for cert in stood if state is None or cert.state == state]


def cert(cert_id: int, *, at: datetime) -> CertFacts | None:
    """One CERT as it stood at `at`; None when there is none, or not yet."""
    row = Cert.objects.filter(pk=cert_id).first()
    if row is None:
        return None
    taken = list(row.steps.filter(effective_at__lte=at).order_by("number"))
    return _facts(row, taken) if taken else None


def steps(cert_id: int) -> list[StepFacts]:
    """Every step of a mandate, in order."""
    names = StepFacts.__slots__
    rows = MandateStep.objects.filter(cert_id=cert_id).order_by("number")
    return [StepFacts(**{name: getattr(row, name) for name in names}) for row in rows]


def may_act_as_sectoral(cert_id: int, *, at: datetime) -> bool:
    """Whether the CERT had the powers of a sectoral CERT at `at`; no when there is none."""
    found = cert(cert_id, at=at)
    return found is not None and found.may_act_as_sectoral


def _facts(row: Cert, taken: list[MandateStep]) -> CertFacts:
    notified = next((step for step in taken if step.state == rules.NOTIFIED), None)
    return CertFacts(
        id=row.pk,
        public_id=row.public_id,
        kind=row.kind,
        sector=row.sector,
        name_en=row.name_en,
        name_ur=row.name_ur,
        organization_id=row.organization_id,
        state=taken[-1].state,
        since=taken[-1].effective_at,
        gazette_number=notified.gazette_number if notified else "",
        gazette_date=notified.gazette_date if notified else None,
    )
