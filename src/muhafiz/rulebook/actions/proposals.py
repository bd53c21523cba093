"""A change takes two people: one proposes, another approves or rejects."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.db import transaction

from muhafiz.accounts.rules import check_may
from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.common.refusal import Refusal
from muhafiz.rulebook.models import Proposal, Value
from muhafiz.rulebook.rules import Draft, check_decider, check_draft


class NoSuchProposal(Refusal):
    """Nothing of this number was proposed."""

    text = "There is no proposal {proposal_id}."


@transaction.atomic
def propose_value(
    *,
    key: str,
    value: Any,
    source: str,
    standing: str,
    actor: Actor,
    now: datetime,
    note: str = "",
    valid_from: datetime | None = None,
    valid_to: datetime | None = None,
    unknown: bool = False,
) -> int:
    """Propose a value and return the proposal's number; it holds only once approved.

    `standing` is S (stated by the source), I (inferred) or U (uncorroborated). With `unknown` the
    value must be None, and `note` says what is missing.

    Raises:
        NotAllowed: the actor may not propose.
        BadValue: the value does not suit its key.
    """
    check_may(actor, "rulebook.propose")
    draft = Draft(key, value, unknown, valid_from, valid_to, source, note, standing)
    check_draft(draft)
    row = Proposal.objects.create(
        key=key,
        value=draft.value_text(),
        unknown=unknown,
        valid_from=valid_from,
        valid_to=valid_to,
        source=source,
        note=note,
        standing=standing,
        proposed_by=str(actor),
        proposed_name=actor.name,
        proposed_at=now,
    )
    _record(actor, now, "rulebook.propose_value", row, draft)
    return row.pk


@transaction.atomic
def approve_value(*, proposal_id: int, actor: Actor, now: datetime, reason: str = "") -> int:
    """Enter a proposed value; returns the number of the value. It takes a second person.

    Raises:
        NotAllowed, CannotApprove: the actor may not, or proposed it, or it is decided.
        NoSuchProposal: there is none.
        BadValue: the value no longer suits its key.
    """
    row = _decide(proposal_id, "approved", actor, now, reason)
    draft = _draft(row)
    check_draft(draft)
    value = Value.objects.create(
        key=row.key,
        value=row.value,
        unknown=row.unknown,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        source=row.source,
        note=row.note,
        standing=row.standing,
        origin="local",
        digest=draft.digest(),
        proposed_by=row.proposed_by,
        approved_by=str(actor),
        entered_at=now,
    )
    _record(actor, now, "rulebook.approve_value", row, draft)
    return value.pk


@transaction.atomic
def reject_value(*, proposal_id: int, actor: Actor, now: datetime, reason: str) -> None:
    """Turn a proposal down, with the reason.

    Raises:
        NotAllowed, CannotApprove: the actor may not, or proposed it, or it is decided.
        NoSuchProposal: there is none.
    """
    row = _decide(proposal_id, "rejected", actor, now, reason)
    _record(actor, now, "rulebook.reject_value", row, _draft(row))


def _decide(proposal_id: int, state: str, actor: Actor, now: datetime, reason: str) -> Proposal:
    check_may(actor, "rulebook.approve")
    row = Proposal.objects.select_for_update().filter(pk=proposal_id).first()
    if row is None:
        raise NoSuchProposal(proposal_id=proposal_id)
    check_decider(
        proposal_id=proposal_id,
        key=row.key,
        proposer=row.proposed_by,
        decider=str(actor),
        name=actor.name,
        state=row.state,
    )
    Proposal.objects.filter(pk=proposal_id).update(
        state=state,
        decided_by=str(actor),
        decided_name=actor.name,
        decided_at=now,
        reason=reason,
    )
    return row


def _draft(row: Proposal) -> Draft:
    return Draft(
        row.key,
        json.loads(row.value),
        row.unknown,
        row.valid_from,
        row.valid_to,
        row.source,
        row.note,
        row.standing,
    )


def _record(actor: Actor, now: datetime, action: str, row: Proposal, draft: Draft) -> None:
    record_entry(
        actor=actor,
        now=now,
        action=action,
        subject=f"proposal:{row.pk}",
        details={"key": row.key, "digest": draft.digest()},
    )
