"""People keep the filters of a list under a name."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from muhafiz.accounts.choices import (
    MOST_VIEWS,
    CannotShareView,
    NoSuchView,
    TooManyViews,
    check_view,
    plain_view_name,
)
from muhafiz.accounts.models import Person, SavedView
from muhafiz.audit.actions.entries import record_entry
from muhafiz.common.actor import Actor


@transaction.atomic
def save_view(
    *, page: str, name: str, query: str, shared: bool, actor: Actor, now: datetime
) -> int:
    """Keep a page's filters; one of the same name is replaced. The view's number.

    Raises:
        BadViewName, BadViewQuery, TooManyViews, CannotShareView: it cannot be kept.
    """
    plain = plain_view_name(name)
    check_view(page, query)
    if shared and not actor.roles:
        raise CannotShareView
    owner = Person.objects.select_for_update().get(pk=int(actor.identifier))
    kept = SavedView.objects.filter(owner=owner, page=page)
    if kept.exclude(name=plain).count() >= MOST_VIEWS:
        raise TooManyViews(most=MOST_VIEWS)
    row, _ = kept.update_or_create(
        owner=owner,
        page=page,
        name=plain,
        defaults={
            "query": query,
            "shared": shared,
            "saved_at": now,
            "organization_id": owner.organization_id,
        },
    )
    record_entry(
        actor=actor,
        now=now,
        action="accounts.save_view",
        subject=f"view:{row.pk}",
        details={"page": page, "shared": shared},
    )
    return row.pk


@transaction.atomic
def forget_view(*, view_id: int, actor: Actor, now: datetime) -> None:
    """Remove one of the actor's own views.

    Raises:
        NoSuchView: it is not theirs, or not there.
    """
    own = SavedView.objects.filter(pk=view_id, owner_id=int(actor.identifier))
    if not own.delete()[0]:
        raise NoSuchView(view_id=view_id)
    record_entry(actor=actor, now=now, action="accounts.forget_view", subject=f"view:{view_id}")
