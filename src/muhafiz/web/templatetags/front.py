"""What the public front says about itself: whose it is, where it stands, how to reach them."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parseaddr

from django import template
from django.conf import settings
from django.template import Context
from django.urls import reverse
from django.utils.translation import gettext as _

register = template.Library()


@dataclass(frozen=True, slots=True)
class Place:
    """One main page of the front."""

    address: str
    word: str
    icon: str
    here: bool


@register.simple_tag(takes_context=True)
def front_places(context: Context) -> list[Place]:
    """The main pages, and the way in, or on for who is in already."""
    request = context["request"]
    way = ("begin", _("To your work")) if context.get("viewer") else ("account_login", _("Sign in"))
    named = (
        ("verify", _("Verify a letter"), "audit"),
        ("statistics", _("Weekly figures"), "map"),
        (*way, "lock"),
    )
    return [
        Place(reverse(route), word, icon, request.path == reverse(route))
        for route, word, icon in named
    ]


@register.simple_tag
def public_address() -> str:
    """Where the site stands; readers compare it with what their browser shows."""
    return f"{settings.PUBLIC_URL}/"


@register.simple_tag
def write_to() -> str:
    """The bare mail address of the CERT; empty where none is set."""
    return parseaddr(settings.MAIL_FROM)[1]
