"""Letters about signing in.

Those that carry a secret are private: nobody of the desk reads them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import override

from muhafiz.accounts.actions.invitations import Invited
from muhafiz.accounts.queries import PersonFacts
from muhafiz.common.actor import Actor
from muhafiz.web.letters import Recipient, link, send_letter

_KIND: Final = "sign-in"


def send_reset(found: PersonFacts, *, path: str, window: str, actor: Actor, now: datetime) -> None:
    """The link by which a person chooses a new password; one letter for each `window`."""
    with override(found.language):
        subject = _("Choose a new password")
        lines = [
            _("Somebody, probably you, asked for a new password. This link lets you choose one:"),
            link(path),
            _("It works once, for one hour. If you did not ask, do nothing: all stays as it is."),
        ]
        to = Recipient.of(found)
        send_letter(
            to, subject, lines, kind=_KIND, private=True, actor=actor, now=now, window=window
        )


def send_invitation(
    invited: Invited, *, role: str, organization_id: int | None, path: str, actor: Actor,
    now: datetime,
) -> None:  # fmt: skip
    """The link by which an invited person joins."""
    with override(invited.language):
        subject = _("You are invited")
        lines = [
            _("{name} invites you to work with this platform as: {role}.").format(
                name=actor.name, role=role
            ),
            *_way_to_join(invited, path),
            _("If you expected no invitation, do nothing."),
        ]
        to = Recipient(
            f"invitation:{invited.id}", invited.email, invited.name, invited.language,
            organization_id,
        )  # fmt: skip
        send_letter(to, subject, lines, kind=_KIND, private=True, actor=actor, now=now)


def _way_to_join(invited: Invited, path: str) -> list[str]:
    if invited.taken:
        return [
            _(
                "This address has an account here already, and an address has only one. To join, "
                "ask to be invited at another address."
            )
        ]
    day = f"{invited.expires_at:%Y-%m-%d %H:%M} UTC"
    return [link(path), _("The link works once, until {day}.").format(day=day)]


def send_address_check(
    found: PersonFacts, *, email: str, path: str, actor: Actor, now: datetime
) -> None:
    """The link by which a person shows that a new address is theirs."""
    with override(found.language):
        subject = _("Confirm your new address")
        lines = [
            _("Open this link to use this address from now on:"),
            link(path),
            _("It works once, for one hour. If you did not ask, do nothing: all stays as it is."),
        ]
        to = Recipient(
            f"person:{found.id}", email, found.name, found.language, found.organization_id
        )
        send_letter(to, subject, lines, kind=_KIND, private=True, actor=actor, now=now)


def send_notice(found: PersonFacts, what: str, *, actor: Actor, now: datetime) -> None:
    """Tell a person what changed about their ways in; `what` is a key of `_changes`."""
    with override(found.language):
        subject = _("Your sign-in has changed")
        lines = [
            _changes()[what],
            _("When: {moment}").format(moment=f"{now:%Y-%m-%d %H:%M} UTC"),
            _("If it was not you, tell your administrator at once."),
        ]
        send_letter(
            Recipient.of(found), subject, lines, kind=_KIND, private=False, actor=actor, now=now
        )


def _changes() -> dict[str, str]:
    return {
        "password": _("Your password was changed. Everywhere else you are signed out."),
        "add": _("A second factor was added to your account."),
        "remove": _("A second factor was removed from your account."),
        "use": _("One of your recovery codes was used."),
        "codes": _("New recovery codes were made; the old ones are worth nothing now."),
        "address": _("Your account has another address from now on."),
        "reset": _(
            "An administrator took away your password and your factors. You will get a new way in."
        ),
    }
