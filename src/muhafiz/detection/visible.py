"""Which findings a viewer may know of: staff all, a constituent's people their own and below.

This is the upper of two walls; the database below it shows a constituent nothing else.
"""

from __future__ import annotations

from django.db.models import QuerySet

from muhafiz.common.actor import Actor
from muhafiz.constituency.visible import organizations_of
from muhafiz.detection.models import Finding


def visible_findings(viewer: Actor) -> QuerySet[Finding]:
    """All findings that exist for this viewer."""
    found = Finding.objects.all()
    own = organizations_of(viewer)
    return found if own is None else found.filter(organization_id__in=own)
