"""What people do to findings: their owners answer them, the CERT judges “not ours”."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction

from muhafiz.accounts.rules import check_may
from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.constituency.actions.claims import date_claim
from muhafiz.constituency.queries import claims
from muhafiz.detection.asset_answers import settled_states
from muhafiz.detection.finding_rules import (
    ANSWERS,
    NoSuchFinding,
    after_judging,
    answer_named,
    check_response,
    checked_reason,
)
from muhafiz.detection.models import Finding, Response
from muhafiz.detection.recipients import zone
from muhafiz.detection.visible import visible_findings

ANSWER = "findings.answer"
JUDGE = "findings.judge"
_LONGEST_ASSET = 300


@transaction.atomic
def respond_to_finding(
    *,
    finding_id: int,
    response: str,
    asset: str | None = None,
    until: date | None = None,
    reason: str = "",
    actor: Actor,
    now: datetime,
) -> None:
    """Take the owner's answer to a finding, or to one asset of it.

    Once every asset that is there now has an answer, the finding stands as they say together.

    Raises:
        NotAllowed: the actor may not answer findings.
        NoSuchFinding: there is none that the actor may know of.
        BadResponse, CannotRespond: the answer lacks something, or has no sense now.
    """
    check_may(actor, ANSWER)
    answer = answer_named(response)
    row = visible_findings(actor).select_for_update().filter(pk=finding_id).first()
    if row is None:
        raise NoSuchFinding(number=finding_id)
    today = now.astimezone(zone(now)).date()
    check_response(
        answer, number=row.number, state=row.state, review=row.review, until=until, today=today
    )
    line = Response(
        finding=row,
        organization_id=row.organization_id,
        kind=answer,
        asset=(asset or "")[:_LONGEST_ASSET],
        until=until,
        reason=checked_reason(answer, reason),
        at=now,
        by=str(actor)[:200],
        by_name=actor.name[:200],
        by_owner=actor.organization_id is not None,
    )
    line.save()
    _take_answer(row, line, now)
    Response.objects.filter(pk=line.pk).update(state=row.state)
    record_entry(
        actor=actor,
        now=now,
        action="detection.respond_to_finding",
        subject=f"finding:{row.number}",
        details={
            "response": answer,
            "asset": line.asset,
            "until": until.isoformat() if until else None,
            "state": row.state,
        },
    )


def _take_answer(row: Finding, line: Response, now: datetime) -> None:
    """Move the finding to where the answer, or all assets' answers together, puts it."""
    if line.asset:
        state = settled_states([row.pk], now=now).get(row.pk)
        if state is None:
            return
        row.by_assets = True
    else:
        state = ANSWERS[line.kind]
        row.by_assets = False
    row.state, row.state_at = str(state), now
    row.until = line.until if state == "excepted" else None
    row.review = "waiting" if state == "not_ours" else ""
    row.save(update_fields=["state", "state_at", "until", "review", "by_assets"])


def respond_to_findings(
    *,
    finding_ids: Sequence[int],
    response: str,
    until: date | None = None,
    reason: str = "",
    actor: Actor,
    now: datetime,
) -> int:
    """Take one answer to several findings: all of them, or none.

    Raises:
        as `respond_to_finding`.
    """
    with transaction.atomic():
        for finding_id in finding_ids:
            respond_to_finding(
                finding_id=finding_id,
                response=response,
                until=until,
                reason=reason,
                actor=actor,
                now=now,
            )
    return len(finding_ids)


@transaction.atomic
def judge_not_ours(
    *,
    finding_id: int,
    accepted: bool,
    reason: str,
    end_claims: Sequence[int] = (),
    actor: Actor,
    now: datetime,
) -> None:
    """The CERT's word on “not ours”: agree, and end the claims that were wrong; or say no.

    A refused one opens again with the reason in its history, which its owner reads.

    Raises:
        NotAllowed: the actor may not judge.
        NoSuchFinding: there is none.
        CannotJudge: nothing waits to be judged, or no reason was given.
    """
    check_may(actor, JUDGE)
    row = Finding.objects.select_for_update().filter(pk=finding_id).first()
    if row is None:
        raise NoSuchFinding(number=finding_id)
    told = after_judging(number=row.number, state=row.state, review=row.review, reason=reason)
    row.state, row.review = ("not_ours", "accepted") if accepted else ("open", "rejected")
    row.state_at = now
    row.save(update_fields=["state", "review", "state_at"])
    Response.objects.create(
        finding=row,
        organization_id=row.organization_id,
        kind=row.review,
        reason=told,
        state=row.state,
        at=now,
        by=str(actor)[:200],
        by_name=actor.name[:200],
        by_owner=False,
    )
    ended = _end_claims(row, end_claims, actor, now) if accepted else []
    record_entry(
        actor=actor,
        now=now,
        action="detection.judge_not_ours",
        subject=f"finding:{row.number}",
        details={"accepted": accepted, "reason": told, "ended_claims": list(ended)},
    )


def _end_claims(row: Finding, claim_ids: Sequence[int], actor: Actor, now: datetime) -> list[int]:
    """End today those of the claims that are the finding's owner's."""
    today = now.astimezone(zone(now)).date()
    known = claims(claim_ids)
    ended = [c for c in claim_ids if c in known and known[c].organization_id == row.organization_id]
    for claim_id in ended:
        date_claim(
            claim_id=claim_id,
            valid_from=known[claim_id].valid_from,
            valid_to=max(today, known[claim_id].valid_from or today),
            actor=actor,
            now=now,
        )
    return ended
