"""Who is on duty, and the handovers that made it so."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from muhafiz.accounts.queries import people
from muhafiz.accounts.rules import check_may, may
from muhafiz.common.actor import Actor
from muhafiz.feeds.queries import silent_feeds
from muhafiz.keyring import signer
from muhafiz.notifications.queries import unsure
from muhafiz.triage import rules
from muhafiz.triage.facts import HandoverFacts, ItemFacts, Proof
from muhafiz.triage.models import Handover, Item
from muhafiz.triage.ordering import ordered
from muhafiz.triage.queries import item_facts

#: Stands before the signed bytes, so that no signature of another kind can pass for one of these.
FORMAT = "muhafiz-shift-handover-1"
_MOST_LETTERS = 1_000


def on_duty() -> HandoverFacts | None:
    """The handover that put the present officer on duty; None: nobody is."""
    found = Handover.objects.filter(accepted_at__isnull=False).defer("body")
    row = found.order_by("-id").first()
    return None if row is None else handover_facts(row)


def pending() -> HandoverFacts | None:
    """The handover that waits for its incoming officer; None: none does."""
    found = Handover.objects.filter(accepted_at=None, withdrawn_at=None).defer("body")
    row = found.first()
    return None if row is None else handover_facts(row)


def handovers(*, viewer: Actor, before: int | None = None, limit: int = 50) -> list[HandoverFacts]:
    """Handovers, the latest first; `before` is the id that the last page ended with.

    Raises:
        NotAllowed: the viewer may not read the queue.
    """
    check_may(viewer, "queue.read")
    found = Handover.objects.order_by("-id").defer("body")
    if before is not None:
        found = found.filter(pk__lt=before)
    return [handover_facts(row) for row in found[:limit]]


def handover(handover_id: int, *, viewer: Actor) -> HandoverFacts | None:
    """One handover; None when there is none."""
    check_may(viewer, "queue.read")
    row = Handover.objects.filter(pk=handover_id).first()
    return None if row is None else handover_facts(row)


def handover_facts(row: Handover) -> HandoverFacts:
    """A row as other rooms see it."""
    names = HandoverFacts.__slots__
    return HandoverFacts(**{name: getattr(row, name) for name in names})


def signed_bytes(handover_id: int, *, viewer: Actor) -> tuple[bytes, bytes, bytes] | None:
    """Body, signature and public key as kept; None when there is no such handover."""
    check_may(viewer, "queue.read")
    row = Handover.objects.filter(pk=handover_id).first()
    if row is None:
        return None
    return bytes(row.body), bytes(row.signature), bytes(row.public_key)


def proof(handover_id: int, *, viewer: Actor) -> Proof | None:
    """Whether what is kept is still what was signed; None when there is no such handover."""
    check_may(viewer, "queue.read")
    row = Handover.objects.filter(pk=handover_id).first()
    if row is None:
        return None
    body, key = bytes(row.body), bytes(row.public_key)
    return Proof(
        holds=signer.verifies(key, body, bytes(row.signature)),
        ours=key == signer.public_key(),
        agrees=_agrees(row, body),
        digest=hashlib.sha256(body).hexdigest(),
        public_key=key.hex(),
    )


def _agrees(row: Handover, body: bytes) -> bool:
    """Whether the row's columns say what its signed bytes say."""
    try:
        told = read_body(body)
    except ValueError:
        return False
    from_person, to_person = told.get("from"), told.get("to")
    kept_from = {"person": row.from_person, "name": row.from_name}
    kept_to = {"person": row.to_person, "name": row.to_name}
    alike = told.get("note") == row.note and told.get("at") == row.at.astimezone(UTC).isoformat()
    return alike and from_person == kept_from and to_person == kept_to


def body_of(
    *, from_: tuple[int | None, str], to: tuple[int, str], note: str, seized: bool, now: datetime
) -> tuple[bytes, int]:
    """What a handover signs: the note and all that stands open at this moment; and how many.

    One spelling only: a line that names the format, then JSON with sorted keys, ASCII, no spaces.
    """
    found = Item.objects.exclude(state=rules.CLOSED).order_by(*ordered("target"))
    listed = item_facts(found)
    told = {
        "at": now.astimezone(UTC).isoformat(),
        "from": {"person": from_[0], "name": from_[1]},
        "to": {"person": to[0], "name": to[1]},
        "note": note,
        "seized": seized,
        "items": [_told_item(one) for one in listed],
        "letters": [
            {
                "letter": str(letter.id),
                "reference": letter.reference,
                "handed": (letter.handed_at or letter.created_at).isoformat(),
            }
            for letter in unsure(limit=_MOST_LETTERS)
        ],
        "feeds": [
            {
                "feed": feed.name,
                "reason": feed.silent_reason,
                "since": feed.silent_since.isoformat() if feed.silent_since else "",
            }
            for feed in silent_feeds(now=now)
        ],
    }
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return f"{FORMAT}\n{text}\n".encode("ascii"), len(listed)


def _told_item(one: ItemFacts) -> dict[str, Any]:
    return {
        "number": one.number,
        "id": one.id,
        "kind": one.kind,
        "title": one.title,
        "params": dict(one.params),
        "severity": one.severity,
        "tlp": one.tlp,
        "organization": one.organization.name_en if one.organization else "",
        "owner": one.owner,
        "owner_name": one.owner_name,
        "state": one.state,
        "since": one.since.isoformat(),
        "due": one.due_at.isoformat() if one.due_at else None,
    }


def read_body(body: bytes) -> dict[str, Any]:
    """What the signed bytes say.

    Raises:
        ValueError: they are not of this format.
    """
    head, _line, text = body.partition(b"\n")
    if head != FORMAT.encode():
        raise ValueError("These bytes are no handover.")
    told = json.loads(text)
    if not isinstance(told, dict):
        raise ValueError("These bytes are no handover.")  # noqa: TRY004 - as above
    return told


def may_take_duty() -> list[tuple[int, str]]:
    """The people a shift can be handed to, by name."""
    return [(one.id, one.name) for one in people() if may(one.actor(), "shift.hand_over")]
