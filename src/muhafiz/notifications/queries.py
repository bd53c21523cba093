"""What is in the outbox, what became of it, and which addresses take no more mail."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from muhafiz.formats.lines import one_line
from muhafiz.notifications.composing import unpacked
from muhafiz.notifications.messages import STATES, Letter, State
from muhafiz.notifications.models import ChannelRest, Message, MessageBytes, RetiredAddress
from muhafiz.notifications.rules import address_key, is_rest_over
from muhafiz.release.queries import recalled_among


@dataclass(frozen=True, slots=True)
class RetiredFacts:
    """An address that takes no more mail, why, and by which message that was learnt."""

    address: str
    reason: str
    evidence: str
    message_id: str
    retired_at: datetime
    retired_by: str


@dataclass(frozen=True, slots=True)
class RestFacts:
    """A channel that rests because its peer cannot be reached."""

    channel: str
    failures: int
    until: datetime
    reason: str


def letters(
    *,
    state: State | None = None,
    recipient: str | None = None,
    policy: str | None = None,
    text: str = "",
    since: datetime | None = None,
    before: tuple[datetime, UUID] | None = None,
    limit: int = 50,
) -> list[Letter]:
    """Messages, the latest first.

    `text` is looked for in address, recipient's name, subject and reference. To page, pass the
    last letter's (created_at, id) as `before`.
    """
    found = Message.objects.all()
    if state is not None:
        found = found.filter(state=state)
    if recipient is not None:
        found = found.filter(recipient=recipient)
    if policy is not None:
        found = found.filter(policy=policy)
    if since is not None:
        found = found.filter(created_at__gte=since)
    if before is not None:
        moment, last = before
        found = found.filter(Q(created_at__lt=moment) | Q(created_at=moment, pk__lt=last))
    if one_line(text):
        found = _containing(found, one_line(text))
    return [_letter(row) for row in found.order_by("-created_at", "-pk")[:limit]]


def letters_after(mark: tuple[datetime, UUID] | None, *, limit: int) -> list[Letter]:
    """The messages after (created_at, id), oldest first; None: from the beginning."""
    found = Message.objects.order_by("created_at", "pk")
    if mark is not None:
        moment, last = mark
        found = found.filter(Q(created_at__gt=moment) | Q(created_at=moment, pk__gt=last))
    return [_letter(row) for row in found[:limit]]


def letter(message: UUID) -> Letter | None:
    """One message; None when there is none."""
    row = Message.objects.filter(pk=message).first()
    return _letter(row) if row else None


def letter_bytes(message: UUID) -> bytes | None:
    """The very bytes that leave or left; None when held unfinished, private, or not there."""
    content = MessageBytes.objects.filter(
        message_id=message, sealed=False, message__private=False
    ).first()
    return unpacked(bytes(content.compressed)) if content else None


def letters_about(item_kind: str, identifier: str) -> list[Letter]:
    """Every message that carries this released thing, the earliest first."""
    found = Message.objects.filter(item=f"{item_kind}:{identifier}")
    return [_letter(row) for row in found.order_by("created_at", "pk")]


def undelivered(item_kind: str, *, since: datetime) -> list[str]:
    """Things of a kind that were enqueued since then and reach nobody: all letters failed or held.

    What a person stopped does not count as a letter, and what was recalled need reach nobody.
    """
    found = _lost(since).filter(item__startswith=f"{item_kind}:")
    pairs = list(found.values_list("item", "ledger_id").distinct().order_by("item"))
    recalled = recalled_among(ledger_id for _, ledger_id in pairs)
    items = {item: None for item, ledger_id in pairs if ledger_id not in recalled}
    return [item.partition(":")[2] for item in items]


def lost_letters(*, since: datetime, limit: int = 200) -> list[Letter]:
    """The latest failed or held letter of everything that reaches nobody; the oldest first.

    What was recalled need reach nobody.
    """
    found = list(_lost(since).order_by("created_at", "pk"))
    recalled = recalled_among(row.ledger_id for row in found)
    latest = {row.item: row for row in found if row.ledger_id not in recalled}
    rows = sorted(latest.values(), key=lambda row: (row.created_at, row.pk))
    return [_letter(row) for row in rows[:limit]]


def _lost(since: datetime) -> QuerySet[Message]:
    """Failed and held messages of things no other message of which is on its way or has left."""
    found = Message.objects.filter(created_at__gte=since)
    alive = found.exclude(state__in=("failed", "held", "cancelled"))
    return found.filter(state__in=("failed", "held")).exclude(item__in=alive.values("item"))


def unsure(*, limit: int = 200) -> list[Letter]:
    """Messages that may or may not have been taken: a person decides; the oldest first."""
    found = Message.objects.filter(state="unsure").order_by("handed_at", "pk")
    return [_letter(row) for row in found[:limit]]


def counts_by_state(*, since: datetime | None = None) -> dict[State, int]:
    """How many messages are in each state (every state is named), created since then."""
    found = Message.objects.all()
    if since is not None:
        found = found.filter(created_at__gte=since)
    counted = dict(found.values_list("state").annotate(n=Count("pk")).order_by())
    return {state: counted.get(state, 0) for state in STATES}


def is_retired(address: str) -> bool:
    """Whether this address takes no more mail."""
    return bool(retired_among([address]))


def retired_among(addresses: Iterable[str]) -> frozenset[str]:
    """Those of `addresses`, in lower case, that take no more mail."""
    wanted = sorted({address_key(address) for address in addresses})
    retired: set[str] = set()
    for start in range(0, len(wanted), 500):
        retired.update(
            RetiredAddress.objects.filter(
                restored_at=None, address__in=wanted[start : start + 500]
            ).values_list("address", flat=True)
        )
    return frozenset(retired)


def retired_addresses(*, limit: int = 500) -> list[RetiredFacts]:
    """Addresses that take no more mail, the latest first."""
    found = RetiredAddress.objects.filter(restored_at=None).order_by("-retired_at", "-pk")
    return [_retired(row) for row in found[:limit]]


def retirements(addresses: Iterable[str]) -> dict[str, RetiredFacts]:
    """Those of `addresses` that take no more mail, as they were given, with why."""
    wanted = {address: address_key(address) for address in addresses}
    keys = sorted(set(wanted.values()))[:500]
    found = RetiredAddress.objects.filter(restored_at=None, address__in=keys)
    known = {row.address: _retired(row) for row in found}
    return {address: known[key] for address, key in wanted.items() if key in known}


def _retired(row: RetiredAddress) -> RetiredFacts:
    return RetiredFacts(
        address=row.address,
        reason=row.reason,
        evidence=row.evidence,
        message_id=row.message_id,
        retired_at=row.retired_at,
        retired_by=row.retired_by,
    )


def resting_channels(*, at: datetime) -> list[RestFacts]:
    """Channels that cannot be reached at present, with the peer's words."""
    return [
        RestFacts(row.channel, row.failures, row.until, row.reason)
        for row in ChannelRest.objects.filter(failures__gt=0).order_by("channel")
        if row.until is not None and not is_rest_over(row.until, at)
    ]


def _containing(found: QuerySet[Message], text: str) -> QuerySet[Message]:
    return found.filter(
        Q(address__icontains=text)
        | Q(recipient_name__icontains=text)
        | Q(subject__icontains=text)
        | Q(reference__icontains=text)
    )


def _letter(row: Message) -> Letter:
    return Letter(
        id=row.pk,
        policy=row.policy,
        recipient=row.recipient,
        window=row.window,
        ledger_id=row.ledger_id,
        address=row.address,
        recipient_name=row.recipient_name,
        language=row.language,
        subject=row.subject,
        reference=row.reference,
        tlp=row.tlp,
        state=next(state for state in STATES if state == row.state),
        reason=row.reason,
        encrypted=row.encrypted,
        private=row.private,
        size=row.size,
        sha256=row.sha256,
        message_id=row.message_id,
        channel=row.channel,
        attempts=row.attempts,
        created_at=row.created_at,
        next_attempt_at=row.next_attempt_at,
        handed_at=row.handed_at,
        finished_at=row.finished_at,
    )
