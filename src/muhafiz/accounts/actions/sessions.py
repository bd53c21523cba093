"""Browsers that are signed in: they open, prove themselves again, and end."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from muhafiz.accounts.actions.clock import note_clock
from muhafiz.accounts.models import Session
from muhafiz.accounts.queries import Visit, person
from muhafiz.accounts.rules import check_ends_sessions, token_digest
from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.formats.lines import one_line

#: How often the moment of the last sight is written.
_SEEN_EVERY: Final = timedelta(minutes=5)


@transaction.atomic
def open_session(
    *, person_id: int, key: str, way: str, address: str, browser: str, actor: Actor, now: datetime
) -> None:
    """Note that a person signed in, in which way and from where; `key` is the session's secret."""
    note_clock(now)
    Session.objects.create(
        person_id=person_id,
        digest=token_digest(key),
        way=one_line(way, 60),
        address=one_line(address, 64),
        browser=one_line(browser, 300),
        opened_at=now,
        seen_at=now,
        confirmed_at=now,
    )
    record_entry(
        actor=actor,
        now=now,
        action="accounts.sign_in",
        subject=f"person:{person_id}",
        details={"way": way, "address": address},
    )


def see_session(visit: Visit, *, now: datetime) -> None:
    """Keep when the session was last seen, to five minutes; no entry, for nothing happened."""
    if now - visit.seen_at >= _SEEN_EVERY:
        Session.objects.filter(pk=visit.session_id, seen_at__lt=now).update(seen_at=now)


@transaction.atomic
def confirm_session(*, key: str, way: str, actor: Actor, now: datetime) -> None:
    """Note that the person proved again who they are, in which way."""
    if Session.objects.filter(digest=token_digest(key), ended_at=None).update(confirmed_at=now):
        record_entry(
            actor=actor,
            now=now,
            action="accounts.confirm_session",
            subject=f"person:{actor.identifier}",
            details={"way": way},
        )


@transaction.atomic
def end_session(*, session_id: int, actor: Actor, now: datetime) -> int:
    """End one session of the actor's own, or of somebody whose roles the actor may change.

    Raises:
        NotAllowed: it is somebody else's.
    """
    found = Session.objects.filter(pk=session_id).values_list("person_id", flat=True).first()
    if found is None:
        return 0
    _check(actor, found)
    return _end(Session.objects.filter(pk=session_id), found, "revoked", actor, now)


@transaction.atomic
def end_sessions(
    *, person_id: int, why: str, actor: Actor, now: datetime, except_key: str = ""
) -> int:
    """End all sessions of a person, but for the one of `except_key`; how many ended.

    Raises:
        NotAllowed: the actor may end only their own.
    """
    _check(actor, person_id)
    open_ones = Session.objects.filter(person_id=person_id)
    if except_key:
        open_ones = open_ones.exclude(digest=token_digest(except_key))
    return _end(open_ones, person_id, why, actor, now)


@transaction.atomic
def sign_out(*, key: str, actor: Actor, now: datetime) -> None:
    """End the session that has this secret."""
    own = Session.objects.filter(digest=token_digest(key))
    _end(own, int(actor.identifier), "signed out", actor, now)


def _check(actor: Actor, person_id: int) -> None:
    found = person(person_id)
    check_ends_sessions(
        actor, person_id=person_id, organization_id=found.organization_id if found else None
    )


def _end(rows: QuerySet[Session], person_id: int, why: str, actor: Actor, now: datetime) -> int:
    ended = rows.filter(ended_at=None).update(
        ended_at=now, ended_by=one_line(str(actor), 100), ended_why=why
    )
    if ended:
        record_entry(
            actor=actor,
            now=now,
            action="accounts.end_sessions",
            subject=f"person:{person_id}",
            details={"ended": ended, "why": why},
        )
    return ended
