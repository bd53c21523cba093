"""Anyone may ask whether a letter is ours."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from muhafiz.publications.queries import verify as verify_document
from muhafiz.tenancy.current import beyond_tenant


@require_safe
def verify(request: HttpRequest) -> HttpResponse:
    """Whether a number or a code is ours, and since when; nothing about the content."""
    asked = request.GET.get("code", "").strip()[:100]
    context: dict[str, Any] = {"asked": asked}
    if asked:
        with beyond_tenant("anybody may ask, whoever has entered; the answer names nobody"):
            context["verdict"] = verify_document(asked)
    return render(request, "web/verify.html", context)
