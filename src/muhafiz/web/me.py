"""The page about oneself, the same in every face."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from muhafiz.accounts.actions.preferences import set_preferences
from muhafiz.accounts.choices import DENSITIES
from muhafiz.accounts.queries import open_sessions
from muhafiz.common.refusal import Refusal
from muhafiz.web.refusals import sentence
from muhafiz.web.signin.sessions import VISIT
from muhafiz.web.viewer import ViewedRequest

_YEAR = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Passkey:
    """One passkey as its owner knows it."""

    id: int
    name: str
    added_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Factors:
    """What a person can prove themselves with; `codes`: recovery codes left, None without any."""

    app_since: datetime | None
    passkeys: tuple[Passkey, ...]
    codes: int | None


def factors_of(person_id: int) -> Factors:
    """A person's second factors, in one query."""
    rows = list(Authenticator.objects.filter(user_id=person_id).order_by("pk"))
    app = next((row for row in rows if row.type == Authenticator.Type.TOTP), None)
    codes = next((row for row in rows if row.type == Authenticator.Type.RECOVERY_CODES), None)
    return Factors(
        app_since=None if app is None else app.created_at,
        passkeys=tuple(
            Passkey(row.pk, str(row.wrap().name), row.created_at, row.last_used_at)
            for row in rows
            if row.type == Authenticator.Type.WEBAUTHN
        ),
        codes=None if codes is None else len(codes.wrap().get_unused_codes()),
    )


def about(request: ViewedRequest) -> dict[str, Any]:
    """What the page shows. Read past the tenant's own view of the database: it is about oneself."""
    with transaction.atomic():
        return {
            "account": request.visit.person,
            "factors": factors_of(request.visit.person.id),
            "sessions": open_sessions(
                request.visit.person.id, now=request.now, key=request.session.get(VISIT, "")
            ),
            "densities": DENSITIES,
            "here": "me",
        }


@login_required
@require_POST
def me_save(request: ViewedRequest) -> HttpResponse:
    """Keep one's name and preferences."""
    language = request.POST.get("language", "")
    try:
        set_preferences(
            name=request.POST.get("name", ""),
            language=language,
            density=request.POST.get("density", ""),
            shortcuts="shortcuts" in request.POST,
            actor=request.viewer,
            now=request.now,
        )
    except Refusal as refusal:
        messages.error(request, sentence(refusal))
        return redirect("mine")
    messages.success(request, _("Your preferences are kept."))
    response = redirect("mine")
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME, language, max_age=_YEAR, samesite="Lax", httponly=True,
        secure=settings.LANGUAGE_COOKIE_SECURE,
    )  # fmt: skip
    return response
