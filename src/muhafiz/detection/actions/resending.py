"""Holding notices, letting them go, and sending again what reached nobody."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction

from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.common.refusal import Refusal
from muhafiz.constituency.facts import ContactFacts
from muhafiz.constituency.queries import contact_version, current_contacts
from muhafiz.constituency.rules import holds
from muhafiz.detection.actions.issuing import build_notices, prepare_notices, send_notices
from muhafiz.detection.actions.notices import apart, check_finished
from muhafiz.detection.composing import Chunk
from muhafiz.detection.files import located
from muhafiz.detection.models import Notice
from muhafiz.detection.recipients import contacts, house, inhibitions
from muhafiz.detection.rules import is_lost
from muhafiz.detection.stored import notice_table, policy_value
from muhafiz.keyring.rules import BadCertificate, BadSeal, NoSigningCertificate
from muhafiz.notifications.actions.letters import cancel_message, keep_waiting, mend_held
from muhafiz.notifications.messages import Letter
from muhafiz.notifications.queries import letter, undelivered
from muhafiz.notifications.rules import CannotChangeMessage

#: So long a notice that reached nobody waits for a contact.
TRY_AGAIN_FOR: Final = timedelta(days=30)
_STILL_HELD: Final = (CannotChangeMessage, BadCertificate, BadSeal, NoSigningCertificate)
_AT_ONCE: Final = 500  # ids in one statement: every SQLite takes 999


class CannotHold(Refusal):
    """The notice's letter has left, or there is none."""

    text = "Notice {notice} cannot be held: {reason}."


class CannotLetGo(Refusal):
    """The notice waits for nothing, or nobody can be written to."""

    text = "Notice {notice} cannot be sent: {reason}."


@transaction.atomic
def hold_notice(*, notice_id: int, reason: str, actor: Actor, now: datetime) -> None:
    """Keep a notice's letters from leaving; those that left stay sent.

    Raises:
        CannotHold: no letter of it is still in the outbox, or no reason is given.
    """
    notice = Notice.objects.select_for_update().get(pk=notice_id)
    if not reason.strip():
        raise CannotHold(notice=notice, reason="it needs a reason")
    keep_waiting(UUID(entry["message"]) for entry in notice.letters)
    found = [each for each in _letters(notice) if each.state not in {"failed", "cancelled"}]
    waiting = [each for each in found if each.state in {"queued", "held"}]
    if notice.state != Notice.State.RELEASED or not waiting or len(waiting) < len(found):
        raise CannotHold(notice=notice, reason="its letter has left, or there is none")
    for each in waiting:
        cancel_message(message=each.id, reason=f"Held: {reason}", actor=actor, now=now)
    notice.state, notice.reason = Notice.State.HELD, reason
    notice.save(update_fields=["state", "reason"])
    record_entry(
        actor=actor,
        now=now,
        action="detection.hold_notice",
        subject=f"notice:{notice.pk}",
        details={"reason": reason},
    )


@transaction.atomic
def release_notice(*, notice_id: int, actor: Actor, now: datetime) -> None:
    """Send a notice that was held, had no contact, or whose letters reached nobody.

    Raises:
        CannotLetGo: it is none of these, or there is nobody to write to who was not tried.
    """
    notice = Notice.objects.select_for_update().get(pk=notice_id)
    keep_waiting(UUID(entry["message"]) for entry in notice.letters)
    lost = _is_lost(notice)
    if notice.state not in {Notice.State.HELD, Notice.State.UNDELIVERABLE} and not lost:
        raise CannotLetGo(notice=notice, reason=f"it is {notice.state}")
    found = contacts([notice.organization_id], now)[notice.organization_id]
    if lost:
        found = _untried(notice, found)
    if not found:
        raise CannotLetGo(notice=notice, reason="there is nobody to write to")
    if not _has_rows(notice):
        raise CannotLetGo(notice=notice, reason="its rows are no longer kept")
    _compose_again(notice, found, actor, now)
    record_entry(
        actor=actor,
        now=now,
        action="detection.release_notice",
        subject=f"notice:{notice.pk}",
    )


def send_stranded(*, actor: Actor, now: datetime) -> int:
    """Send the notices of the last 30 days that reached nobody and now can; how many.

    1. who had no contact when it was composed, and has one now;
    2. whose letters wait for a key or a sender's address that is there now;
    3. whose letters came back, or wait for a key, when there is a contact who was not tried.

    While the organization is inhibited for a class that a notice tells of, the notice waits.

    Raises:
        DigestUnfinished: the rows of some cannot be read; all others were sent.
    """
    candidates = _free(list(_stranded(now - TRY_AGAIN_FOR)), now)
    reachable = contacts({owner for _, owner in candidates}, now)
    faults: list[tuple[str, Exception]] = []
    sent = 0
    for pk, owner in candidates:
        if reachable[owner]:
            with apart(f"notice {pk}", faults):
                sent += _send_again(pk, reachable[owner], actor, now)
    check_finished(faults)
    return sent


def _stranded(since: datetime) -> Iterator[tuple[int, int, Iterable[str]]]:
    """Notices made since then that reached nobody: id, organization, "taxonomy/type"s."""
    recent = Notice.objects.filter(created_at__gte=since)
    undeliverable = recent.filter(state=Notice.State.UNDELIVERABLE)
    yield from undeliverable.values_list("pk", "organization_id", "classes")
    lost = undelivered("notice", since=since)
    for start in range(0, len(lost), _AT_ONCE):
        found = recent.filter(
            state=Notice.State.RELEASED, public_id__in=lost[start : start + _AT_ONCE]
        )
        yield from found.values_list("pk", "organization_id", "classes")


def _free(
    candidates: Sequence[tuple[int, int, Iterable[str]]], now: datetime
) -> list[tuple[int, int]]:
    """Those that no inhibition of their organization keeps back now, in order."""
    told = {
        (pk, owner): {name.partition("/")[2] for name in classes}
        for pk, owner, classes in candidates
    }
    owners, types = {owner for _, owner in told}, set().union(*told.values())
    quiet = set(inhibitions(now)(owners, types, set())[0])
    return sorted(
        (pk, owner)
        for (pk, owner), names in told.items()
        if quiet.isdisjoint((owner, name) for name in names)
    )


@transaction.atomic
def _send_again(notice_id: int, found: Sequence[ContactFacts], actor: Actor, now: datetime) -> bool:
    """Whether a letter of the notice is on its way now and was not before."""
    notice = Notice.objects.select_for_update().select_related("run__policy").get(pk=notice_id)
    keep_waiting(UUID(entry["message"]) for entry in notice.letters)
    if _is_lost(notice):
        if _mended(notice, actor, now):
            return True
        found = _untried(notice, found)
    elif notice.state != Notice.State.UNDELIVERABLE:
        return False  # another job was quicker
    if not found or not _has_rows(notice):
        return False
    _compose_again(notice, found, actor, now)
    return bool(notice.state == Notice.State.RELEASED)


def _mended(notice: Notice, actor: Actor, now: datetime) -> bool:
    """Whether a held letter could go after all, to a contact that stands as it was written to."""
    standing = _standing_contacts(notice, now)
    gone = 0
    for entry, each in zip(notice.letters, _letters(notice), strict=True):
        contact = standing.get((entry["contact"], entry["version"]))
        if each.state != "held" or contact is None:
            continue
        with contextlib.suppress(*_STILL_HELD):
            mend_held(message=each.id, certificate=contact.certificate, actor=actor, now=now)
            gone += 1
    return bool(gone)


def _standing_contacts(notice: Notice, now: datetime) -> dict[tuple[int, int], ContactFacts]:
    """Those contacts of the notice's letters that nobody has changed or ended, by version."""
    versions = (contact_version(each["contact"], each["version"]) for each in notice.letters)
    owners = {each.organization_id for each in versions if each is not None}
    day = now.astimezone(UTC).date()
    return {
        (each.id, each.version): each
        for each in current_contacts(owners)
        if holds(each.valid_from, each.valid_to, day)
    }


def _untried(notice: Notice, found: Sequence[ContactFacts]) -> list[ContactFacts]:
    """Those contacts to whom, as they are now, no letter of the notice was addressed."""
    tried = {(entry["contact"], entry["version"]) for entry in notice.letters}
    return [contact for contact in found if (contact.id, contact.version) not in tried]


def _is_lost(notice: Notice) -> bool:
    return notice.state == Notice.State.RELEASED and is_lost(
        each.state for each in _letters(notice)
    )


def _has_rows(notice: Notice) -> bool:
    """Whether the rows it tells are not past their time of keeping."""
    return located(notice.run.path).exists()


def _letters(notice: Notice) -> list[Letter]:
    """The notice's letters as they stand in the outbox, in order."""
    found = (letter(UUID(entry["message"])) for entry in notice.letters)
    return [each for each in found if each is not None]


def _compose_again(
    notice: Notice, found: Sequence[ContactFacts], actor: Actor, now: datetime
) -> None:
    """Compose a notice from its plan's rows, under its own number when it has one."""
    for each in _letters(notice):
        if each.state == "held":
            reason = "Composed anew."
            cancel_message(message=each.id, reason=reason, actor=actor, now=now)
    # Earlier letters keep their keys in the outbox, so these have a name of their own.
    again = f" again {len(notice.letters)}" if notice.letters else ""
    rows = notice_table(notice.run.path, notice.organization_id, notice.decision)
    policy = policy_value(notice.run.policy)
    chunk = Chunk(rows, notice.organization_id, last=True)
    built = build_notices(chunk, policy, notice.run.sealed_at, house(now))
    prepared = replace(prepare_notices(built, now), contacts={notice.organization_id: list(found)})
    pairs = [(group, notice) for group in prepared.told.groups]
    if not notice.number:
        [notice.digest] = [prepared.told.digest(group) for group in prepared.told.groups]
    send_notices(prepared, pairs, notice.window + again, actor=actor, now=now)
    notice.save()
    record_entry(
        actor=actor,
        now=now,
        action="detection.compose_notices",
        subject=f"notice:{notice.pk}",
        details={"number": notice.number, "state": notice.state},
    )
