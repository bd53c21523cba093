"""The notices that a constituent was sent, for its own people; those withdrawn since say so."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from uuid import UUID

from muhafiz.common.actor import Actor
from muhafiz.constituency.visible import organizations_of
from muhafiz.detection.facts import LetterFacts, NoticeFacts
from muhafiz.detection.models import Notice
from muhafiz.detection.queries import notice_facts
from muhafiz.notifications.queries import letter

_LEFT = ("sent", "sending", "unsure")
_SENT = (Notice.State.RELEASED, Notice.State.CANCELLED)


def own_notices(
    *,
    viewer: Actor,
    organization_ids: Collection[int] | None = None,
    ids: Collection[int] | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[NoticeFacts]:
    """Notices that were sent to the viewer's organization or those below, the latest first."""
    found = Notice.objects.filter(state__in=_SENT)
    for chosen in (organizations_of(viewer), organization_ids):
        if chosen is not None:
            found = found.filter(organization_id__in=chosen)
    if ids is not None:
        found = found.filter(pk__in=ids)
    if before is not None:
        found = found.filter(pk__lt=before)
    return [notice_facts(row) for row in found.order_by("-pk")[:limit]]


def own_notice(public_id: UUID, *, viewer: Actor) -> NoticeFacts | None:
    """One of them; None when there is none that the viewer may know of.

    A withdrawn one has only those letters that may have left: what was stopped may be another's.
    """
    found = Notice.objects.filter(public_id=public_id, state__in=_SENT)
    own = organizations_of(viewer)
    if own is not None:
        found = found.filter(organization_id__in=own)
    row = found.first()
    if row is None:
        return None
    facts = notice_facts(row)
    if row.state != Notice.State.CANCELLED:
        return facts
    return replace(facts, letters=tuple(filter(_may_have_left, facts.letters)))


def _may_have_left(told: LetterFacts) -> bool:
    found = letter(told.message_id)
    return found is not None and found.state in _LEFT
