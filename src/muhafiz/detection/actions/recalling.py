"""Taking back a notice that should not have been sent."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction

from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.constituency.facts import ContactFacts
from muhafiz.constituency.queries import contact_version, current_contacts, organization
from muhafiz.detection.composing import told_moment
from muhafiz.detection.letters import Recall, language_for, write_recall
from muhafiz.detection.models import Notice
from muhafiz.detection.recipients import house
from muhafiz.formats.lines import one_line
from muhafiz.formats.mail import BadAddress, plain_address
from muhafiz.notifications.actions.letters import cancel_message, keep_waiting
from muhafiz.notifications.actions.outbox import enqueue_messages
from muhafiz.notifications.messages import Letter, MessageDraft, Order
from muhafiz.notifications.queries import letter
from muhafiz.notifications.rules import address_key
from muhafiz.publications.actions.documents import withdraw_document
from muhafiz.release.actions.recall import CannotRecall, recall_item
from muhafiz.release.gate import Audience, Item, Released, release

POLICY: Final = "recall"
#: "queued" is what a delivery under way has just been asked to try again.
_MAY_HAVE_LEFT: Final = frozenset({"sent", "sending", "unsure", "queued"})
_LONGEST_REASON: Final = 1_000


@transaction.atomic
def recall_notice(*, notice_id: int, reason: str, actor: Actor, now: datetime) -> int:
    """Take a notice back; how many are told so by letter.

    1. The ledger marks its releases as recalled, and letters that wait do not leave.
    2. The verify page says from now on that the notice is withdrawn.
    3. Every contact to whom a letter left, or may have left, is told by letter and why.

    What it told counts as told: only what is seen again after the policy's days is told anew.

    Raises:
        CannotRecall: it was not released, is recalled already, or no reason is given.
    """
    notice = Notice.objects.select_for_update().get(pk=notice_id)
    why = one_line(reason, _LONGEST_REASON)
    if notice.state != Notice.State.RELEASED or not why:
        problem = "it needs a reason" if not why else f"it is {notice.state}"
        raise CannotRecall(item=f"notice {notice}", reason=problem)
    waiting = keep_waiting(UUID(entry["message"]) for entry in notice.letters)
    recall_item(
        item_kind="notice", identifier=str(notice.public_id), reason=why, actor=actor, now=now
    )
    withdraw_document(number=notice.number, reason=why, actor=actor, now=now)
    for message in waiting:
        stopped = "What it tells was recalled."
        cancel_message(message=message, reason=stopped, actor=actor, now=now)
    told = _whom_it_reached(notice)
    notice.state, notice.reason = Notice.State.CANCELLED, why
    notice.save(update_fields=["state", "reason"])
    if told:
        _tell(notice, told, actor, now)
    record_entry(
        actor=actor,
        now=now,
        action="detection.recall_notice",
        subject=f"notice:{notice.pk}",
        details={"number": notice.number, "reason": why, "told": len(told)},
    )
    return len(told)


@dataclass(frozen=True, slots=True)
class _Reached:
    """Somebody to whom a letter of that moment may have left."""

    contact: ContactFacts
    written_at: datetime


def _whom_it_reached(notice: Notice) -> list[_Reached]:
    """The contacts of the letters that may have left, as they stand now; each address once."""
    reached: list[tuple[Letter, ContactFacts]] = []
    for entry in notice.letters:
        message = letter(UUID(entry["message"]))
        contact = contact_version(entry["contact"], entry["version"])
        if message is not None and contact is not None and message.state in _MAY_HAVE_LEFT:
            reached.append((message, contact))
    owners = {contact.organization_id for _, contact in reached}
    standing = {each.id: each for each in current_contacts(owners)}
    found: dict[str, _Reached] = {}
    for message, known in reached:
        contact = _as_reached(message, known, standing)
        found.setdefault(address_key(contact.address), _Reached(contact, message.created_at))
    return list(found.values())


def _as_reached(
    message: Letter, contact: ContactFacts, standing: dict[int, ContactFacts]
) -> ContactFacts:
    """The contact as it stands now, unless a person chose another address for the letter."""
    try:
        meant = plain_address(contact.address)
    except BadAddress:
        meant = ""  # so the letter left for an address that a person chose
    if message.address != meant:
        return replace(contact, address=message.address)
    return standing.get(contact.id, contact)


def _tell(notice: Notice, told: list[_Reached], actor: Actor, now: datetime) -> None:
    drafts = [(reached.contact, _draft(notice, reached, now)) for reached in told]
    covered = hashlib.sha256("".join(draft.text for _, draft in drafts).encode()).hexdigest()
    released = _released(notice, covered, actor, now)
    owner = f"organization:{notice.organization_id}"
    window = f"notice:{notice.public_id}"
    orders = [  # a contact may have been written to at two addresses
        Order(released, draft, POLICY, f"{owner}/contact:{contact.id}", f"{window} {place}")
        for place, (contact, draft) in enumerate(drafts, 1)
    ]
    enqueue_messages(orders, actor=actor, now=now)


def _draft(notice: Notice, reached: _Reached, now: datetime) -> MessageDraft:
    contact = reached.contact
    language = language_for(contact.language)
    owner, author = organization(notice.organization_id), house(now)
    recall = Recall(
        number=notice.number,
        organization=one_line(owner.name(language) if owner else str(notice.organization_id)),
        cert=one_line(author.name(language)),
        tlp=notice.tlp,
        date=told_moment(now, author.zone),
        sent=told_moment(reached.written_at, author.zone),
        reason=notice.reason,
        verify_url=f"{settings.PUBLIC_URL}/verify/?code={notice.verify_code}",
    )
    subject, text = write_recall(recall, language)
    return MessageDraft(
        recipient_address=contact.address,
        recipient_name=contact.name,
        language=language,
        subject=subject,
        text=text,
        certificate=contact.certificate,
        sender_reference=notice.number,
    )


def _released(notice: Notice, digest: str, actor: Actor, now: datetime) -> Released:
    owner = organization(notice.organization_id)
    name = owner.name_en if owner else f"organization {notice.organization_id}"
    item = Item(
        kind=POLICY,
        identifier=str(notice.public_id),
        tlp=notice.tlp,
        title=f"Withdrawal of {notice.number}",
        digest=digest,
        organizations=frozenset({notice.organization_id}),
    )
    audience = Audience("organization", str(notice.organization_id), name)
    return release(item, audience, actor=actor, now=now)
