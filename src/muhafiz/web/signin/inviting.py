"""Inviting somebody: the invitation and its letter, together or not at all."""

from __future__ import annotations

from datetime import datetime

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.db import transaction
from django.urls import reverse
from django.utils.translation import override

from muhafiz.accounts.actions.factors import reset_access
from muhafiz.accounts.actions.invitations import invite_person
from muhafiz.accounts.choices import plain_language
from muhafiz.accounts.queries import person
from muhafiz.common.actor import Actor
from muhafiz.web.labels import ROLES
from muhafiz.web.signin.letters import send_invitation, send_notice


@transaction.atomic
def invite(
    *,
    email: str,
    name: str,
    role: str,
    language: str,
    organization_id: int | None,
    actor: Actor,
    now: datetime,
) -> None:
    """Invite somebody by letter.

    Raises:
        Refusal: as `invite_person`; nothing is written and no letter leaves.
    """
    invited = invite_person(
        email=email,
        name=name,
        role=role,
        language=language,
        organization_id=organization_id,
        actor=actor,
        now=now,
    )
    with override(plain_language(language)):
        called = str(ROLES.get(role, role))
    send_invitation(
        invited,
        role=called,
        organization_id=organization_id,
        path=reverse("invitation", args=[invited.token]),
        actor=actor,
        now=now,
    )


@transaction.atomic
def take_ways_in_away(*, person_id: int, reason: str, actor: Actor, now: datetime) -> None:
    """Take all of a person's ways in away, end their sessions, and tell them by letter.

    Raises:
        Refusal: as `reset_access`; nothing changes.
    """
    reset_access(person_id=person_id, reason=reason, actor=actor, now=now)
    Authenticator.objects.filter(user_id=person_id).delete()
    SocialAccount.objects.filter(user_id=person_id).delete()
    found = person(person_id)
    if found is not None:
        send_notice(found, "reset", actor=actor, now=now)
