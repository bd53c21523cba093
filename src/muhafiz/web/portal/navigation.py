"""The portal's few rooms; only those that the viewer may open."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from muhafiz.accounts.rules import may
from muhafiz.common.actor import Actor
from muhafiz.web.portal.permissions import ROUTES


@dataclass(frozen=True, slots=True)
class Room:
    """One entry of the navigation; `family` are the routes within that mark it as here."""

    route: str
    icon: str
    word: str | Promise
    family: tuple[str, ...] = ()


ROOMS = (
    Room("portal", "check", _("To do")),
    Room("portal-findings", "unsure", _("Findings"), ("portal-finding",)),
    Room("portal-notices", "letter", _("Notices received"), ("portal-notice",)),
    Room("portal-holdings", "tree", _("Networks and domains")),
    Room("portal-contacts", "people", _("Contacts"), ("portal-contact",)),
    Room("portal-people", "lock", _("Our people")),
    Room("portal-history", "clock", _("History")),
)


def rooms_for(viewer: Actor) -> list[Room]:
    """The entries that the viewer may open."""
    return [room for room in ROOMS if may(viewer, ROUTES[room.route][0])]
