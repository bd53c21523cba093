"""What signing in, and a change of factors, must lead to, whichever way it came."""

from __future__ import annotations

from typing import Any, Final

from allauth.account.signals import authentication_step_completed
from allauth.core import context
from allauth.mfa.models import Authenticator
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.http import HttpRequest

from muhafiz.accounts.actions.factors import FactorChange, note_factor
from muhafiz.accounts.actions.sessions import confirm_session
from muhafiz.accounts.queries import person, visit
from muhafiz.common.actor import Actor
from muhafiz.web.signin.letters import send_notice
from muhafiz.web.signin.sessions import VISIT, moment_of, note_sign_in

_CODES: Final = Authenticator.Type.RECOVERY_CODES


@receiver(user_logged_in)
def _signed_in(request: HttpRequest, user: Any, **_: object) -> None:
    note_sign_in(request, user.pk, request.META.pop("muhafiz.way", "") or _way(request))


def _way(request: HttpRequest) -> str:
    """The methods by which the person proved who they are, as the sign-in kept them."""
    records = request.session.get("account_authentication_methods") or []
    return " + ".join(_named(record) for record in records) or "unknown"


def _named(record: dict[str, Any]) -> str:
    if record.get("method") == "socialaccount":
        return "openid"
    return str(record.get("type") or record.get("method"))


@receiver(authentication_step_completed)
def _proved_again(request: HttpRequest, method: str, **told: Any) -> None:
    """A person who is signed in proved again who they are."""
    viewer: Actor | None = getattr(request, "viewer", None)
    key = request.session.get(VISIT)
    if viewer is None or key is None or not told.get("reauthenticated"):
        return
    way, now = str(told.get("type") or method), moment_of(request)
    confirm_session(key=key, way=way, actor=viewer, now=now)
    request.visit = visit(key, now=now)  # type: ignore[attr-defined]  # ViewerMiddleware's, brought up to date


@receiver(post_save, sender=Authenticator)
def _kept(instance: Authenticator, *, created: bool, update_fields: Any, **_: object) -> None:
    if created:
        _note(instance, "add")
    elif update_fields is None and instance.type == _CODES:
        _note(instance, "use")  # allauth saves the whole row only when a code is used up


@receiver(post_delete, sender=Authenticator)
def _removed(instance: Authenticator, **_: object) -> None:
    _note(instance, "remove")


def _note(factor: Authenticator, change: FactorChange) -> None:
    """Entry, letter, and whether a factor is left: in the transaction of the change itself."""
    found = person(factor.user_id)
    request = context.request
    if found is None or request is None:
        return
    others = Authenticator.objects.filter(user_id=factor.user_id).exclude(type=_CODES)
    viewer: Actor | None = getattr(request, "viewer", None)
    actor, now = viewer or found.actor(), moment_of(request)
    note_factor(
        person_id=found.id,
        change=change,
        kind=factor.type,
        has_factor=others.exists(),
        actor=actor,
        now=now,
    )
    what = _told(factor, change, others=others.exists())
    if what:
        send_notice(found, what, actor=actor, now=now)


def _told(factor: Authenticator, change: FactorChange, *, others: bool) -> str:
    """What the person is told of; codes that come and go with a factor are no news."""
    if factor.type != _CODES:
        return change
    if change == "remove":
        return "codes" if others else ""
    return "use" if change == "use" else ""
