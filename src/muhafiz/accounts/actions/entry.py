"""Links that let a person in once."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from muhafiz.accounts.actions.clock import read_clock
from muhafiz.accounts.models import EntryLink
from muhafiz.accounts.queries import person, person_by_email
from muhafiz.accounts.rules import check_may, token_digest
from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.common.refusal import Refusal

_TOKEN_BYTES = 32
_LONGEST = timedelta(days=7)
_TOLERANCE = timedelta(minutes=1)  # two machines' clocks may differ by this much


class CannotIssueLink(Refusal):
    """No link can be made for this address, or not for so long."""

    text = "No entry link can be made for {email}: {reason}."


class CannotEnter(Refusal):
    """The link does not let anybody in: unknown, used, expired, or its person is suspended.

    One sentence for all of these, so that a guess learns nothing.
    """

    text = "This link does not open the door. It may be used up or out of date; ask for a new one."


@transaction.atomic
def issue_entry_link(*, email: str, valid_for: timedelta, actor: Actor, now: datetime) -> str:
    """Make a link for a registered person and return its token, which is kept nowhere.

    One that is made in the demonstration lets in only there.

    Raises:
        NotAllowed: the actor may not.
        CannotIssueLink: nobody is registered so, they are suspended, or `valid_for` is not within
            7 days.
        ClockWentBack: the clock cannot be trusted.
    """
    check_may(actor, "people.edit")
    found = person_by_email(email)
    if found is None or not found.active:
        raise CannotIssueLink(email=email, reason="nobody active is registered so")
    if not timedelta(0) < valid_for <= _LONGEST:
        raise CannotIssueLink(email=email, reason="a link is valid for at most 7 days")
    read_clock(now)
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    link = EntryLink.objects.create(
        person_id=found.id,
        digest=token_digest(token),
        issued_at=now,
        expires_at=now + valid_for,
        demonstration=settings.DEMONSTRATION,
    )
    record_entry(
        actor=actor,
        now=now,
        action="accounts.issue_entry_link",
        subject=f"person:{found.id}",
        details={"link": link.pk, "minutes": int(valid_for.total_seconds() // 60)},
    )
    return token


@transaction.atomic
def redeem_entry_link(*, token: str, now: datetime) -> Actor:
    """Let the link's person in and use it up.

    Raises:
        CannotEnter: the link is unknown, used or expired, or the person suspended.
        ClockWentBack: the clock cannot be trusted.
    """
    read_clock(now)
    valid = EntryLink.objects.filter(
        digest=token_digest(token),
        used_at__isnull=True,
        expires_at__gt=now,
        issued_at__lte=now + _TOLERANCE,
    )
    if not settings.DEMONSTRATION:
        valid = valid.filter(demonstration=False)
    person_id = valid.values_list("person_id", flat=True).first()
    found = None if person_id is None else person(person_id)
    if found is None or not found.active or not valid.update(used_at=now):
        raise CannotEnter
    actor = found.actor()
    record_entry(
        actor=actor, now=now, action="accounts.redeem_entry_link", subject=f"person:{found.id}"
    )
    return actor
