"""Another house signs people in (OpenID Connect): only people we know, and only with proof.

1. The browser is sent to the provider with a state and a code challenge (PKCE).
2. It comes back with a code, which is exchanged for an ID token over our own connection.
3. The token's signature, issuer, audience and end are checked, whatever the transport.
4. Who is known by the provider's own number, or by an address it calls verified, comes in. The
   second factor of the house is asked for as after a password.
"""

from __future__ import annotations

from typing import Any, Final

import jwt
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from muhafiz.accounts.actions.factors import note_factor
from muhafiz.accounts.actions.tries import begin_try, clear_tries, fail_try
from muhafiz.accounts.queries import PersonFacts, person, person_by_email
from muhafiz.common.refusal import Refusal
from muhafiz.web.refusals import sentence
from muhafiz.web.signin.sessions import client_address, moment_of

#: How an ID token may be signed: by the provider's own key; never a shared secret, never nothing.
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA")

_LEEWAY_SECONDS: Final = 30


class HouseAdapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]  # allauth carries no types
    """The configured provider, whose tokens are always checked."""

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **kwargs: Any) -> Any:
        """The claims of the ID token, completed by the provider's userinfo of the same person."""
        id_token = kwargs["response"].get("id_token")
        if not id_token:
            raise OAuth2Error("no ID token")
        claims = self._decode_id_token(app, id_token)
        if "email" not in claims and "userinfo_endpoint" in self.openid_config:
            more = self._fetch_user_info(token.token)
            if more.get("sub") != claims["sub"]:
                raise OAuth2Error("userinfo is of somebody else")
            claims = {**more, **claims}
        return self.get_provider().sociallogin_from_response(request, {"id_token": claims})

    def _decode_id_token(self, app: Any, id_token: str) -> dict[str, Any]:
        """The token's claims.

        Raises:
            OAuth2Error: it is not one of this provider, for us, and for now.
        """
        issuer = str(self.openid_config["issuer"])
        if issuer.rstrip("/") != app.settings["server_url"]:
            raise OAuth2Error("the discovery document is another issuer's")
        adapter = ElsewhereAdapter(self.request)
        with adapter.get_requests_session() as session:
            answer = session.get(self.openid_config["jwks_uri"])
            answer.raise_for_status()
        try:
            keys = jwt.PyJWKSet.from_dict(answer.json())
            kid = jwt.get_unverified_header(id_token).get("kid")
            key = next(k for k in keys.keys if kid is None or k.key_id == kid)
            claims: dict[str, Any] = jwt.decode(
                id_token,
                key=key,
                algorithms=list(ALGORITHMS),
                audience=app.client_id,
                issuer=issuer,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "sub", "aud", "iss"]},
            )
        except (jwt.PyJWTError, StopIteration, ValueError) as wrong:
            raise OAuth2Error("the ID token is not good") from wrong
        return claims


class ElsewhereAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # as above
    """Lets in whom we know, and nobody else."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Nobody signs themselves up."""
        del request, sociallogin
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Find the person; tie the provider's number to them at the first time.

        Raises:
            ImmediateHttpResponse: we do not know them.
        """
        claims = sociallogin.account.extra_data.get("id_token") or {}
        sociallogin.account.extra_data = {}  # who they are elsewhere is not ours to keep
        if sociallogin.is_existing:
            sociallogin.account.save()
            found = person(sociallogin.user.pk)
        else:
            found = _known(claims)
        if found is None or not found.active:
            _refuse(request, str(claims.get("email", "")))
            raise ImmediateHttpResponse(HttpResponseRedirect(reverse("account_login")))
        if not sociallogin.is_existing:
            _tie(request, sociallogin, found)

    def on_authentication_error(self, request: HttpRequest, *_args: Any, **_kw: Any) -> None:
        """Say that it did not work, and back to the sign-in page.

        Raises:
            ImmediateHttpResponse: always.
        """
        messages.error(request, _("The other house did not sign you in. Try again."))
        raise ImmediateHttpResponse(HttpResponseRedirect(reverse("account_login")))


def _known(claims: dict[str, Any]) -> PersonFacts | None:
    """The person of the address, if the provider says that it verified it."""
    address = claims.get("email")
    if not address or claims.get("email_verified") is not True:
        return None
    return person_by_email(str(address))


@transaction.atomic
def _tie(request: HttpRequest, sociallogin: Any, found: PersonFacts) -> None:
    sociallogin.connect(request, get_user_model().objects.get(pk=found.id))
    note_factor(
        person_id=found.id,
        change="add",
        kind="openid",
        has_factor=found.second_factor,
        actor=found.actor(),
        now=moment_of(request),
    )


def _refuse(request: HttpRequest, email: str) -> None:
    """The same words for unknown, unverified and suspended; the log knows more."""
    fail_try(account=email, address=client_address(request), way="openid", now=moment_of(request))
    messages.error(request, _("The other house knows you, but we do not. Ask to be invited."))


@require_GET
def elsewhere(request: HttpRequest) -> HttpResponseBase:
    """To the other house, to sign in: never to tie somebody else's account to one's own."""
    if request.GET.get("process", "login") != "login":
        raise Http404
    return _view(request, OAuth2LoginView)


@require_GET
def back_from_elsewhere(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """Back from the other house; tries are counted as at our own door."""
    if provider_id != "house":
        raise Http404
    address = client_address(request)
    tried = {"account": f"openid {address}", "address": address}
    try:
        begin_try(**tried, now=moment_of(request))
    except Refusal as refusal:
        messages.error(request, sentence(refusal))
        return HttpResponseRedirect(reverse("account_login"))
    answer = _view(request, OAuth2CallbackView)
    if request.user.is_authenticated:
        clear_tries(**tried)
    return answer


def _view(request: HttpRequest, kind: Any) -> HttpResponseBase:
    if not getattr(settings, "SOCIALACCOUNT_PROVIDERS", {}):
        raise Http404
    view: HttpResponseBase = kind.adapter_view(HouseAdapter(request, "house"))(request)
    return view
