"""CERTs are nominated and then move, step by step; nothing is taken off the register."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime

from django.db import transaction

from muhafiz.accounts.rules import check_may
from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.common.refusal import Refusal
from muhafiz.mandates.models import Cert, MandateStep
from muhafiz.mandates.rules import (
    CABINET,
    NOMINATED,
    NOTIFIED,
    OPERATIONAL,
    RECOMMENDED,
    REVOKED,
    SUSPENDED,
    Gazette,
    Readiness,
    Step,
    check_cert,
    check_step,
)


class NoSuchCert(Refusal):
    """The register has no CERT of this number."""

    text = "There is no CERT {cert_id} in the register."


@transaction.atomic
def nominate_cert(
    *,
    kind: str,
    name_en: str,
    actor: Actor,
    now: datetime,
    name_ur: str = "",
    sector: str = "",
    organization_id: int | None = None,
    effective_at: datetime | None = None,
) -> int:
    """Enter a nominated CERT and return its number. `effective_at`: of an older nomination.

    Raises:
        NotAllowed: the actor may not.
        BadCert: it cannot be entered so.
    """
    check_may(actor, "mandates.edit")
    check_cert(kind=kind, sector=sector, names={"en": name_en, "ur": name_ur})
    row = Cert.objects.create(
        kind=kind,
        sector=sector,
        name_en=name_en.strip(),
        name_ur=name_ur.strip(),
        organization_id=organization_id,
        entered_at=now,
    )
    _add(row, Step(NOMINATED, effective_at or now), 1, actor, now)
    return row.pk


def recommend_cert(*, cert_id: int, effective_at: datetime, actor: Actor, now: datetime) -> None:
    """The Council recommended it (rule 4(2)). Raises as `take_step`."""
    take_step(cert_id=cert_id, step=Step(RECOMMENDED, effective_at), actor=actor, now=now)


def note_cabinet_approval(
    *, cert_id: int, effective_at: datetime, actor: Actor, now: datetime
) -> None:
    """The cabinet approved it. Raises as `take_step`."""
    take_step(cert_id=cert_id, step=Step(CABINET, effective_at), actor=actor, now=now)


def note_notification(
    *, cert_id: int, gazette: Gazette, effective_at: datetime, actor: Actor, now: datetime
) -> None:
    """The gazette notified it: from then on it has its powers. Raises as `take_step`."""
    step = Step(NOTIFIED, effective_at, gazette=gazette)
    take_step(cert_id=cert_id, step=step, actor=actor, now=now)


def declare_operational(
    *,
    cert_id: int,
    effective_at: datetime,
    actor: Actor,
    now: datetime,
    readiness: Readiness | None = None,
) -> None:
    """It works (for the first time: with what it has shown), or works again. Raises as above."""
    step = Step(OPERATIONAL, effective_at, readiness=readiness)
    take_step(cert_id=cert_id, step=step, actor=actor, now=now)


def suspend_cert(
    *, cert_id: int, reason: str, effective_at: datetime, actor: Actor, now: datetime
) -> None:
    """Its powers rest. Raises as `take_step`."""
    step = Step(SUSPENDED, effective_at, reason=reason)
    take_step(cert_id=cert_id, step=step, actor=actor, now=now)


def revoke_cert(
    *, cert_id: int, reason: str, effective_at: datetime, actor: Actor, now: datetime
) -> None:
    """Its mandate ends for good. Raises as `take_step`."""
    step = Step(REVOKED, effective_at, reason=reason)
    take_step(cert_id=cert_id, step=step, actor=actor, now=now)


@transaction.atomic
def take_step(*, cert_id: int, step: Step, actor: Actor, now: datetime) -> None:
    """Enter one step of a mandate.

    Raises:
        NotAllowed: the actor may not.
        NoSuchCert, CannotMove: there is none, or it cannot take this step.
    """
    check_may(actor, "mandates.edit")
    row = Cert.objects.select_for_update().filter(pk=cert_id).first()
    last = MandateStep.objects.filter(cert_id=cert_id).order_by("-number").first()
    if row is None or last is None:
        raise NoSuchCert(cert_id=cert_id)
    check_step(name=row.name_en, current=last.state, since=last.effective_at, step=step)
    _add(row, step, last.number + 1, actor, now)


def _add(row: Cert, step: Step, number: int, actor: Actor, now: datetime) -> None:
    shown = "" if step.readiness is None else json.dumps(asdict(step.readiness), default=str)
    MandateStep.objects.create(
        cert=row,
        number=number,
        state=step.state,
        effective_at=step.effective_at,
        gazette_number=step.gazette.number if step.gazette else "",
        gazette_date=step.gazette.date if step.gazette else None,
        readiness=shown,
        reason=step.reason,
        taken_by=str(actor),
        taken_at=now,
    )
    record_entry(
        actor=actor,
        now=now,
        action="mandates.take_step",
        subject=f"cert:{row.pk}",
        details={
            "state": step.state,
            "number": number,
            "effective_at": step.effective_at.isoformat(),
            "gazette": step.gazette.number if step.gazette else "",
            "reason": step.reason,
        },
    )
