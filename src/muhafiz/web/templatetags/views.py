"""The views of a list that its reader keeps."""

from __future__ import annotations

from django import template
from django.template import Context

from muhafiz.accounts import queries
from muhafiz.accounts.queries import SavedViewFacts

register = template.Library()


@register.simple_tag(takes_context=True)
def saved_views(context: Context, page: str) -> list[SavedViewFacts]:
    """The reader's views of the page, and those shared with them."""
    viewer = context.get("viewer")
    return [] if viewer is None else queries.saved_views(page, viewer)
