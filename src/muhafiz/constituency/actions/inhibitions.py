"""No letters about something until a moment, because of something."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from muhafiz.common.actor import Actor
from muhafiz.constituency.actions.trail import hold_constituency, leave_trail, standing_organization
from muhafiz.constituency.models import Claim, Inhibition
from muhafiz.constituency.rules import BadPeriod, NoSuchRecord, check_name


@transaction.atomic
def inhibit_letters(
    *,
    organization_id: int,
    claim_id: int | None = None,
    classes: str = "*",
    until: datetime,
    reason: str,
    actor: Actor,
    now: datetime,
) -> int:
    """Hold back letters to an organization, or about one of its claims; returns the id.

    It ends by itself at `until`. Events are stored and counted as ever. `classes` is a pattern of
    RSIT types: "*", "vulnerable-system", "vulner*".

    Raises:
        NoSuchOrganization, NoSuchRecord (the claim), BadName (no reason given).
        BadPeriod: `until` does not lie ahead.
    """
    hold_constituency()  # a merging copies what is in force
    owner = standing_organization(organization_id)
    if until <= now:
        raise BadPeriod(valid_from=now, valid_to=until)
    if claim_id is not None and not owner.claims.filter(pk=claim_id).exists():
        raise NoSuchRecord(what="claim", identifier=claim_id)
    row = Inhibition.objects.create(
        organization=owner if claim_id is None else None,
        claim_id=claim_id,
        classes=check_name(classes, 64) if classes != "*" else classes,
        until=until,
        reason=check_name(reason, 500),
        created_at=now,
        created_by=actor.name[:128],
    )
    details = {"claim": claim_id, "classes": classes, "until": until.isoformat(), "reason": reason}
    leave_trail(
        [owner.pk], "inhibit_letters", f"inhibition:{row.pk}", details, actor=actor, now=now
    )
    return row.pk


@transaction.atomic
def lift_inhibition(*, inhibition_id: int, actor: Actor, now: datetime) -> None:
    """Let letters go out again before the time.

    Raises:
        NoSuchRecord: there is none, or it was lifted already.
    """
    row = Inhibition.objects.filter(pk=inhibition_id, lifted_at__isnull=True).first()
    if row is None:
        raise NoSuchRecord(what="inhibition", identifier=inhibition_id)
    Inhibition.objects.filter(pk=row.pk, lifted_at__isnull=True).update(lifted_at=now)
    owners = Claim.objects.filter(inhibitions=row).values_list("organization_id", flat=True)
    owner = row.organization_id or owners[0]
    leave_trail([owner], "lift_inhibition", f"inhibition:{row.pk}", {}, actor=actor, now=now)
