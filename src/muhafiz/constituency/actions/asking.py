"""Ask contacts by letter whether they are still right, and take their answer."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import F

from muhafiz.common.actor import Actor
from muhafiz.constituency.actions.contacts import confirm_contact
from muhafiz.constituency.actions.trail import hold_constituency, leave_trail
from muhafiz.constituency.asks import contacts_to_ask, token_digest
from muhafiz.constituency.cares import cares_at
from muhafiz.constituency.letters import FALLBACK, Ask, languages, write_ask
from muhafiz.constituency.models import ContactAsk, ContactVersion
from muhafiz.constituency.queries import contact_facts, holding
from muhafiz.constituency.rules import AskIsOver, CannotAsk
from muhafiz.formats.lines import one_line
from muhafiz.formats.tlp import AMBER
from muhafiz.notifications.actions.outbox import enqueue_messages
from muhafiz.notifications.messages import MessageDraft, Order
from muhafiz.notifications.queries import retired_among
from muhafiz.notifications.rules import address_key
from muhafiz.notifications.sender import house_sender
from muhafiz.release.gate import Audience, Item, Released, release
from muhafiz.rulebook.queries import value_or

POLICY: Final = "contact-ask"
MOST_AT_ONCE: Final = 200
_AGAIN_DAYS: Final = 30
_LONGEST_WORDS: Final = 500


def asked_again_after(at: datetime) -> timedelta:
    """How long a contact that did not answer is left alone (`liaison.ask_again_days`)."""
    days = value_or("liaison.ask_again_days", _AGAIN_DAYS, at=at)
    return timedelta(days=days if isinstance(days, int) and days > 0 else _AGAIN_DAYS)


@transaction.atomic
def ask_contacts(*, contact_ids: Sequence[int], actor: Actor, now: datetime) -> int:
    """Send each of these contacts a letter with a link by which it confirms itself; how many.

    Whoever was asked lately, takes no mail, has ended or is gone is left out. At most 200 at once.

    Raises:
        CannotAsk: none is left, or too many were named.
    """
    if len(contact_ids) > MOST_AT_ONCE:
        raise CannotAsk(reason=f"more than {MOST_AT_ONCE} at once")
    hold_constituency()
    rows = (
        ContactVersion.objects.filter(
            holding(now.astimezone(UTC).date()),
            contact__in=contact_ids,
            superseded_at__isnull=True,
            contact__withdrawn_at__isnull=True,
            contact__organization__retired_at__isnull=True,
        )
        .exclude(contact__asks__asked_at__gte=now - asked_again_after(now))
        .select_related("contact__organization")
        .order_by("contact_id")
    )
    dead = retired_among(row.address for row in rows)
    asked = [row for row in rows if address_key(row.address) not in dead]
    if not asked:
        raise CannotAsk(reason="nobody is left who takes mail and was not asked lately")
    enqueue_messages([_order(row, actor, now) for row in asked], actor=actor, now=now)
    owners = {row.contact.organization_id for row in asked}
    for owner in sorted(owners):
        ids = [row.contact_id for row in asked if row.contact.organization_id == owner]
        leave_trail(
            [owner], "ask_contact", f"organization:{owner}", {"contacts": [*ids]},
            actor=actor, now=now,
        )  # fmt: skip
    return len(asked)


def ask_some_contacts(*, actor: Actor, now: datetime) -> int:
    """Ask as many long unconfirmed contacts as the rulebook lets the platform ask a day.

    `liaison.asks_a_day`; where it is 0 or unknown, only people ask.
    """
    most = value_or("liaison.asks_a_day", 0, at=now)
    if not isinstance(most, int) or most <= 0:
        return 0
    found = contacts_to_ask(
        cares=cares_at(now),
        asked_before=now - asked_again_after(now),
        limit=min(most, MOST_AT_ONCE),
    )
    try:
        return ask_contacts(contact_ids=found, actor=actor, now=now)
    except CannotAsk:
        return 0


def _order(row: ContactVersion, actor: Actor, now: datetime) -> Order:
    token = secrets.token_urlsafe(24)
    kept = ContactAsk.objects.create(
        contact=row.contact,
        version=row.version,
        token_digest=token_digest(token),
        asked_at=now,
        asked_by=actor.name[:128],
    )
    draft = _draft(row, f"{settings.PUBLIC_URL}/contact/{token}/", now)
    recipient = f"organization:{row.contact.organization_id}/contact:{row.contact_id}"
    return Order(
        _released(row, kept, draft, actor, now), draft, POLICY, recipient, f"ask:{kept.pk}"
    )


def _draft(row: ContactVersion, link: str, now: datetime) -> MessageDraft:
    facts = contact_facts(row)
    language = facts.language if facts.language in languages() else FALLBACK
    organization, sender = row.contact.organization, house_sender(at=now)
    named = organization.name_ur if language == "ur" else ""
    zone = ZoneInfo(str(value_or("jurisdiction.timezone", "UTC", at=now)))
    ask = Ask(
        organization=one_line(named or organization.name_en),
        cert=one_line(sender.name(language)),
        date=f"{now.astimezone(zone):%Y-%m-%d}",
        address=facts.address,
        name=one_line(facts.name),
        role=facts.role,
        hours=facts.hours,
        language=language,
        fingerprint=facts.fingerprint,
        key_until=f"{facts.key_expires_at:%Y-%m-%d}" if facts.key_expires_at else "",
        link=link,
    )
    subject, text = write_ask(ask, language)
    usable = facts.key_expires_at is None or facts.key_expires_at.astimezone(UTC) > now
    return MessageDraft(
        recipient_address=facts.address,
        recipient_name=facts.name,
        language=language,
        subject=subject,
        text=text,
        certificate=facts.certificate if usable else None,  # a key that ended is why one asks
        private=True,
    )


def _released(
    row: ContactVersion, kept: ContactAsk, draft: MessageDraft, actor: Actor, now: datetime
) -> Released:
    organization = row.contact.organization
    item = Item(
        kind=POLICY,
        identifier=str(kept.pk),
        tlp=AMBER,
        title=f"Whether {row.address} is still right",
        digest=hashlib.sha256(draft.text.encode()).hexdigest(),
        organizations=frozenset({organization.pk}),
    )
    audience = Audience("organization", str(organization.pk), organization.name_en)
    return release(item, audience, actor=actor, now=now)


@transaction.atomic
def answer_ask(*, token: str, right: bool, words: str = "", now: datetime) -> None:
    """Take the answer of whoever holds the link: the contact is right, or it is not.

    A right one counts as confirmed. A wrong one stays as it is, for people to mend.

    Raises:
        AskIsOver: there is no such link, it was answered, or the contact has changed since.
    """
    row = (
        ContactAsk.objects.select_for_update()
        .filter(
            token_digest=token_digest(token),
            answered_at__isnull=True,
            contact__withdrawn_at__isnull=True,
            contact__versions__superseded_at__isnull=True,
            contact__versions__version=F("version"),
        )
        .select_related("contact")
        .first()
    )
    if row is None:
        raise AskIsOver
    row.answered_at, row.right = now, right
    row.words = "" if right else one_line(words, _LONGEST_WORDS)
    row.save(update_fields=["answered_at", "right", "words"])
    actor = Actor("public", f"contact:{row.contact_id}", f"contact {row.contact_id}")
    leave_trail(
        [row.contact.organization_id], "answer_ask", f"contact:{row.contact_id}",
        {"right": right, "words": row.words}, actor=actor, now=now,
    )  # fmt: skip
    if right:
        confirm_contact(contact_id=row.contact_id, actor=actor, now=now)
