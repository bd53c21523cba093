"""What the portal's frame needs."""

from __future__ import annotations

from django import template
from django.template import Context

from muhafiz.web.portal.navigation import Room, rooms_for

register = template.Library()


@register.simple_tag(takes_context=True)
def portal_rooms(context: Context) -> list[Room]:
    """The rooms of the portal that the viewer may open."""
    return rooms_for(context["viewer"])
