"""What every page's frame shows."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def chrome(request: HttpRequest) -> dict[str, Any]:
    """Context processor: viewer, theme, lane."""
    return {
        "viewer": getattr(request, "viewer", None),
        "demonstration": settings.DEMONSTRATION,
    }
