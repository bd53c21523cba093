"""Tell the person who asked what the CERT decided."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from muhafiz.accounts.queries import PersonFacts, person
from muhafiz.common.actor import Actor
from muhafiz.constituency.facts import RequestFacts
from muhafiz.detection.facts import FindingFacts, ResponseFacts
from muhafiz.web.letters import Recipient, link, send_letter
from muhafiz.web.plain_words import plain

_KIND: Final = "decision"


def tell_request(
    found: RequestFacts, *, approved: bool, reason: str, actor: Actor, now: datetime
) -> None:
    """What became of a request for a network; nothing when who asked has left."""
    asker = _still_there(found.asked_by_id, found.organization_id)
    if asker is None:
        return
    with override(asker.language):
        if found.wanted == "add":
            asked = _("You asked that {holding} be entered as yours.")
        else:
            asked = _("You asked that {holding} no longer be entered as yours.")
        _tell(
            asker,
            [asked.format(holding=found.text), _said(approved=approved), *_because(reason)],
            link(reverse("portal-holdings")),
            window=f"request:{found.id}",
            actor=actor,
            now=now,
        )


def tell_not_ours(
    found: FindingFacts, said: ResponseFacts, *, accepted: bool, reason: str, actor: Actor,
    now: datetime,
) -> None:  # fmt: skip
    """What became of a finding that its owner called somebody else's."""
    asker = _still_there(said.by, found.organization_id)
    if asker is None:
        return
    with override(asker.language):
        name = plain(found.type, found.identifier, asker.language).name
        asked = _("You answered “not ours” to: {finding}.").format(finding=name)
        _tell(
            asker,
            [asked, _said(approved=accepted), *_because(reason)],
            link(reverse("portal-finding", args=[found.number])),
            window=f"finding:{found.id}:{now:%Y%m%dT%H%M%S}",
            actor=actor,
            now=now,
        )


def _still_there(by: str, organization_id: int) -> PersonFacts | None:
    """The person behind an audit log's “person:7”, while active in the same organization."""
    kind, _colon, number = by.partition(":")
    found = person(int(number)) if kind == "person" and number.isdecimal() else None
    if found is None or not found.active or found.organization_id != organization_id:
        return None
    return found


def _said(*, approved: bool) -> str:
    return _("The CERT agreed.") if approved else _("The CERT did not agree.")


def _because(reason: str) -> list[str]:
    told = reason.strip()
    return [_("It says: {reason}").format(reason=told)] if told else []


def _tell(
    asker: PersonFacts, lines: list[str], where: str, *, window: str, actor: Actor, now: datetime
) -> None:
    send_letter(
        Recipient.of(asker),
        _("The CERT decided what you asked"),
        [*lines, where],
        kind=_KIND,
        private=False,
        actor=actor,
        now=now,
        window=window,
    )
