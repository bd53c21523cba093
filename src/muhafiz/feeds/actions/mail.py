"""Mail is taken in once: attachments become reports, bounces go to the post office.

1. The mail's and its attachments' bytes are kept (raw_store).
2. One transaction notes the mail, makes the reports' rows and lets the post office read a bounce.
3. Only then is the mail marked as read. A crash in between offers it again; it is recognized.

A mail that cannot be taken apart is kept as a report in quarantine; it holds nobody up. So is what
comes for a feed whose option `senders` names others: a mail is easily forged.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor
from muhafiz.feeds import rules
from muhafiz.feeds.actions.intake import (
    Delivery,
    KeptReport,
    guess_feed,
    raw_store,
    record_delivery,
)
from muhafiz.feeds.mail_parts import MailFacts, Malformed, mail_digest, take_apart
from muhafiz.feeds.mailbox import MailTooLarge, opened_mailbox, read_address
from muhafiz.feeds.models import Feed, TakenMail
from muhafiz.feeds.raw_store import RawFile
from muhafiz.feeds.unpacking import base_name
from muhafiz.formats.lines import one_line
from muhafiz.notifications.actions.bounces import take_bounce

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MailTaken:
    """What became of one mail."""

    outcome: str  # reports, bounce, nothing, malformed
    reports: tuple[KeptReport, ...]
    duplicate: bool


@dataclass(frozen=True, slots=True)
class MailCollected:
    """What one look into the mailbox brought."""

    mails: int
    reports: int
    laid_aside: int


def collect_mail(
    *,
    url: str,
    actor: Actor,
    now: datetime,
    tls: ssl.SSLContext | None = None,
    tick: Callable[[int, int], None] = lambda _done, _total: None,
) -> MailCollected:
    """Take every unread mail of the mailbox; `tick(done, total)` is called after each.

    Raises:
        BadMailbox: the address cannot be used.
        DiskNearlyFull: the mails not yet taken stay unread.
        OSError: the server or the disk failed; what was not acknowledged stays unread.
    """
    mails = reports = aside = 0
    with opened_mailbox(read_address(url), tls=tls) as mailbox:
        waiting = mailbox.unseen()
        for uid in waiting:
            try:
                taken = take_mail(raw=mailbox.raw(uid), actor=actor, now=now)
            except LookupError:  # somebody removed it meanwhile
                continue
            except MailTooLarge as refusal:
                _LOG.warning("%s", refusal)
                mailbox.lay_aside(uid)
                aside += 1
                continue
            mailbox.mark_taken(uid)
            mails, reports = mails + 1, reports + len(taken.reports)
            tick(mails + aside, len(waiting))
    return MailCollected(mails, reports, aside)


def take_mail(*, raw: bytes, actor: Actor, now: datetime) -> MailTaken:
    """Keep a mail and what it carries; the same mail again is answered with the first.

    Raises:
        DiskNearlyFull: nothing was taken.
    """
    kept = raw_store().keep(raw)
    try:
        facts = take_apart(raw)
    except Malformed as trouble:
        return _take_malformed(raw, kept, str(trouble), actor=actor, now=now)
    before = TakenMail.objects.filter(digest=facts.digest).first()
    if before is not None:
        return MailTaken(before.outcome, (), duplicate=True)
    deliveries = [] if facts.is_bounce else _deliveries(facts, now)
    return _note(raw, kept, facts, deliveries, actor=actor, now=now)


def _deliveries(facts: MailFacts, now: datetime) -> list[Delivery]:
    """The attachments, their bytes kept, each with the feed that recognizes it."""
    store = raw_store()
    found = []
    for attachment in facts.attachments:
        kept = store.keep(attachment.content)
        name = base_name(attachment.name)
        feed, trouble = guess_feed(store, kept, name)
        trouble = trouble or _distrust(feed, facts.sender)
        identifier = facts.message_id[:300]
        found.append(Delivery(kept, feed, name, now, "mail", identifier, trouble))
    return found


def _distrust(feed: str | None, sender: str) -> tuple[str, str] | None:
    """Why a person should look before a feed's report is read: its mail is from somebody else."""
    options = Feed.objects.filter(name=feed).values_list("options", flat=True).first() or {}
    if rules.is_sender(sender, options.get("senders") or ()):
        return None
    return (
        rules.UNKNOWN_SENDER,
        f"It came by mail from {one_line(sender, 200)}, no sender of this feed.",
    )


@transaction.atomic
def _note(
    raw: bytes,
    kept: RawFile,
    facts: MailFacts,
    deliveries: list[Delivery],
    *,
    actor: Actor,
    now: datetime,
) -> MailTaken:
    outcome = "bounce" if facts.is_bounce else "reports" if deliveries else "nothing"
    mail, made = TakenMail.objects.get_or_create(
        digest=facts.digest,
        defaults={
            "sha256": kept.sha256,
            "message_id": facts.message_id,
            "sender": facts.sender,
            "subject": facts.subject,
            "taken_at": now,
            "outcome": outcome,
        },
    )
    if not made:
        return MailTaken(mail.outcome, (), duplicate=True)
    if facts.is_bounce:
        take_bounce(raw=raw, actor=actor, now=now)
    reports = tuple(record_delivery(each, actor=actor, now=now) for each in deliveries)
    mail.reports = [report.id for report in reports]
    mail.save(update_fields=["reports"])
    _audit(mail, actor=actor, now=now)
    return MailTaken(outcome, reports, duplicate=False)


@transaction.atomic
def _take_malformed(
    raw: bytes, kept: RawFile, trouble: str, *, actor: Actor, now: datetime
) -> MailTaken:
    digest = mail_digest(raw)
    mail, made = TakenMail.objects.get_or_create(
        digest=digest,
        defaults={"sha256": kept.sha256, "taken_at": now, "outcome": "malformed"},
    )
    if not made:
        return MailTaken(mail.outcome, (), duplicate=True)
    fault = ("malformed-mail", trouble)
    delivery = Delivery(kept, None, f"{digest[:16]}.eml", now, "mail", trouble=fault)
    report = record_delivery(delivery, actor=actor, now=now)
    mail.reports = [report.id]
    mail.save(update_fields=["reports"])
    _audit(mail, actor=actor, now=now)
    return MailTaken("malformed", (report,), duplicate=False)


def _audit(mail: TakenMail, *, actor: Actor, now: datetime) -> None:
    record_entry(
        actor=actor,
        now=now,
        action="feeds.take_mail",
        subject=f"mail:{mail.digest[:16]}",
        details={"outcome": mail.outcome, "reports": mail.reports, "message_id": mail.message_id},
    )
