"""Whether letters can leave."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import parseaddr

from django.conf import settings

from muhafiz.health.registry import examination
from muhafiz.health.rules import Ailment, Fact, Finding, fact
from muhafiz.keyring.queries import own_certificate
from muhafiz.keyring.rules import NoSigningCertificate
from muhafiz.notifications.channels.smtp.address import BadSmtpAddress, smtp_address
from muhafiz.notifications.queries import counts_by_state, resting_channels
from muhafiz.notifications.sender import house_sender

LANE_IS_OPEN = Ailment(
    "lane-is-open",
    "fault",
    "This is a demonstration, yet a mail server is set.",
    "Unset MUHAFIZ_SMTP_URL, or set up a real installation in another MUHAFIZ_VAR.",
    stops=True,
)
NO_SERVER = Ailment(
    "no-mail-server",
    "warning",
    "No mail server is set; letters stay queued.",
    "Set MUHAFIZ_SMTP_URL, for example `smtp://user:password@mail.example.org:587`.",
)
BAD_SERVER = Ailment(
    "bad-mail-server",
    "fault",
    "The mail server's address cannot be used: {reason}",
    "Correct MUHAFIZ_SMTP_URL, for example `smtp://user:password@mail.example.org:587`.",
)
NO_SENDER = Ailment(
    "no-sender",
    "warning",
    "No sender address is known; letters will be held.",
    "Set MUHAFIZ_MAIL_FROM, or propose cert.mail_from in the rulebook.",
)
NOT_REACHED = Ailment(
    "mail-server-not-reached",
    "fault",
    "The mail server takes no letters: {reason}. It is asked again at {until}.",
    "See that it runs and lets the platform in. Nothing is lost: letters wait.",
    route="letters",
)
OTHER_NAME = Ailment(
    "other-name",
    "warning",
    "Letters are sent from {address}, but their signature is in the name of {user_id}.",
    "Run: `muhafiz keys renew`, then publish the new key.",
)
UNSURE = Ailment(
    "unsure-letters",
    "warning",
    "Letters of which nobody knows whether they left: {count}.",
    "Somebody who may send letters looks at the mail server's log and decides.",
    route="letters",
)

_DAY = timedelta(days=1)


@examination("outgoing-mail", "Outgoing mail")
def outgoing_mail(now: datetime) -> Iterator[Finding | Fact]:
    """Server, sender, and what the outbox holds."""
    if settings.DEMONSTRATION:
        if settings.SMTP_URL:
            yield LANE_IS_OPEN.found()
    else:
        yield from _server()
        yield from _sender(now)
    for rest in resting_channels(at=now):
        yield NOT_REACHED.found(reason=rest.reason, until=rest.until)
    waiting, lately = counts_by_state(), counts_by_state(since=now - _DAY)
    if waiting["unsure"]:
        yield UNSURE.found(count=waiting["unsure"], query="?state=unsure")
    yield fact(
        "Letters of the last day that were sent: {sent}. Waiting now: {queued}. Held: {held}.",
        sent=lately["sent"],
        queued=waiting["queued"],
        held=waiting["held"],
    )


def _sender(now: datetime) -> Iterator[Finding]:
    address = house_sender(at=now).address
    if not address:
        yield NO_SENDER.found()
        return
    try:
        user_id = own_certificate(at=now).user_id
    except NoSigningCertificate:  # the examination of the keys says so
        return
    if parseaddr(user_id)[1].lower() != address.lower():
        yield OTHER_NAME.found(address=address, user_id=user_id)


def _server() -> Iterator[Finding]:
    if not settings.SMTP_URL:
        yield NO_SERVER.found()
        return
    try:
        smtp_address(settings.SMTP_URL)
    except BadSmtpAddress as wrong:
        yield BAD_SERVER.found(reason=str(wrong))
