"""Letters to one person about their own doings here.

They leave as every letter does: by the gate, through the outbox.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _

from muhafiz.accounts.queries import PersonFacts
from muhafiz.common.actor import Actor
from muhafiz.common.identifiers import new_id
from muhafiz.formats.tlp import AMBER
from muhafiz.notifications.actions.outbox import enqueue_message
from muhafiz.notifications.messages import MessageDraft
from muhafiz.release.gate import Audience, Item, release
from muhafiz.web.place import cert_name


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a letter is for. `who` is stable: "person:7", "invitation:3"."""

    who: str
    email: str
    name: str
    language: str
    organization_id: int | None

    @classmethod
    def of(cls, found: PersonFacts) -> Recipient:
        """A person, at their address."""
        who = f"person:{found.id}"
        return cls(who, found.email, found.name, found.language, found.organization_id)


def link(path: str) -> str:
    """The address that people type or follow."""
    return f"{settings.PUBLIC_URL}{path}"


def send_letter(
    to: Recipient,
    subject: str,
    lines: list[str],
    *,
    kind: str,
    private: bool,
    actor: Actor,
    now: datetime,
    window: str = "",
) -> None:
    """Queue one letter of paragraphs `lines`; call within the language of `to`.

    `kind` names what it is about, for the outbox and the gate. `private`: it carries a secret, so
    nobody of the desk reads it. The same `window` twice is one letter.
    """
    house = cert_name(now) or _("Muhafiz")
    text = "\n\n".join(["TLP:AMBER", *lines, house]) + "\n"
    number = str(new_id())
    if to.organization_id is None:
        audience = Audience("staff", to.who, to.name)
    else:
        audience = Audience("organization", str(to.organization_id), to.name)
    item = Item(
        kind=kind,
        identifier=number,
        tlp=AMBER,
        title=subject,
        digest=hashlib.sha256(text.encode()).hexdigest(),
    )
    released = release(item, audience, actor=actor, now=now)
    draft = MessageDraft(
        recipient_address=to.email,
        recipient_name=to.name,
        language=to.language,
        subject=f"{house}: {subject}",
        text=text,
        private=private,
    )
    enqueue_message(
        released=released,
        draft=draft,
        policy=kind,
        recipient=to.who,
        window=window or number,
        actor=actor,
        now=now,
    )
