"""Tries to sign in are counted in the database, which all web processes share."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from muhafiz.accounts.models import Tries
from muhafiz.accounts.queries import person_by_email
from muhafiz.accounts.tries import (
    ACCOUNT,
    ADDRESS,
    CODE_REMEMBERED,
    LETTERS,
    Allowance,
    CodeUsed,
    check_tries,
    counted,
    network_of,
    tries_key,
)
from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor

#: Who tries, before anybody knows.
STRANGER = Actor(kind="public", identifier="sign-in", name="somebody signing in")


@transaction.atomic
def begin_try(*, account: str, address: str, now: datetime) -> None:
    """Count a try for this account and from this address, before anything is computed.

    Raises:
        TooManyTries: it comes too soon; it is not counted.
    """
    wanted = ((_account(account), ACCOUNT), (_address(address), ADDRESS))
    _count(wanted, now)


@transaction.atomic
def begin_try_of_nobody(*, address: str, now: datetime) -> None:
    """Count a try from this address that names no account.

    Raises:
        TooManyTries: it comes too soon; it is not counted.
    """
    _count(((_address(address), ADDRESS),), now)


@transaction.atomic
def begin_letter(*, account: str, address: str, now: datetime) -> None:
    """Count a letter asked for by somebody who is not signed in.

    Raises:
        TooManyTries: it comes too soon; it is not counted.
    """
    keys = (tries_key("letter", account), tries_key("letter-address", network_of(address)))
    _count(((keys[0], LETTERS), (keys[1], ADDRESS)), now)


@transaction.atomic
def fail_try(*, account: str, address: str, way: str, now: datetime, counted_as: str = "") -> None:
    """Note that a counted try failed; with the last free one, that the account now waits.

    `account` is an address; `counted_as` the name under which the try was counted, if another.
    """
    row = Tries.objects.filter(pk=_account(counted_as or account)).first()
    count = row.count if row else 0
    found = person_by_email(account)
    record_entry(
        actor=STRANGER,
        now=now,
        action="accounts.lock_out" if count >= ACCOUNT.free else "accounts.fail_sign_in",
        subject=f"person:{found.id}" if found else "person:unknown",
        details={"way": way, "address": address, "tries": count},
    )


@transaction.atomic
def clear_tries(*, account: str, address: str) -> None:
    """A try succeeded: the account's are forgotten, of the address's only this one."""
    Tries.objects.filter(pk=_account(account)).delete()
    clear_tries_of_nobody(address=address)


@transaction.atomic
def clear_tries_of_nobody(*, address: str) -> None:
    """A try from this address succeeded: this one is forgotten."""
    row = Tries.objects.select_for_update().filter(pk=_address(address)).first()
    if row is not None and row.count > 0:
        Tries.objects.filter(pk=row.pk).update(count=row.count - 1)


@transaction.atomic
def unlock_account(*, email: str, actor: Actor, now: datetime) -> None:
    """Forget an account's tries of passwords and codes, so that its person need not wait."""
    found = person_by_email(email)
    keys = [_account(email), *([_account(code_account(found.id))] if found else [])]
    if Tries.objects.filter(pk__in=keys).delete()[0]:
        subject = f"person:{found.id}" if found else "person:unknown"
        record_entry(actor=actor, now=now, action="accounts.unlock_account", subject=subject)


@transaction.atomic
def use_code(*, person_id: int, code: str, now: datetime) -> None:
    """Use a one-time code up.

    Raises:
        CodeUsed: it was used before.
    """
    row, made = Tries.objects.select_for_update().get_or_create(
        pk=tries_key("code", f"{person_id} {code}"), defaults={"count": 1, "latest": now}
    )
    if not made and abs(now - row.latest) < CODE_REMEMBERED:
        raise CodeUsed
    Tries.objects.filter(pk=row.pk).update(latest=now)


def prune_tries(*, before: datetime) -> int:
    """Forget tries that count no more; how many rows went. No entry, for nothing changes."""
    return Tries.objects.filter(latest__lt=before).delete()[0]


def _count(wanted: tuple[tuple[str, Allowance], ...], now: datetime) -> None:
    """Count all of these, or none."""
    rows = []
    for key, allowance in sorted(wanted, key=lambda pair: pair[0]):  # one order, no deadlock
        row, _ = Tries.objects.select_for_update().get_or_create(pk=key, defaults={"latest": now})
        row.count = counted(row.count, row.latest, allowance, now)
        check_tries(row.count, row.latest, allowance, now)
        rows.append(row)
    for row in rows:
        Tries.objects.filter(pk=row.pk).update(count=row.count + 1, latest=now)


def code_account(person_id: int) -> str:
    """The name under which a person's tries of codes are counted."""
    return f"code {person_id}"


def _account(account: str) -> str:
    return tries_key("account", account)


def _address(address: str) -> str:
    return tries_key("address", network_of(address))
