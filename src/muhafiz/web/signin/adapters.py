"""What allauth asks the house: may they try, who are they, how is a secret kept."""

from __future__ import annotations

import base64
from typing import Any, Final

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from muhafiz.accounts.actions.factors import set_password
from muhafiz.accounts.actions.tries import begin_try, clear_tries, fail_try
from muhafiz.accounts.queries import person
from muhafiz.accounts.tries import TooManyTries
from muhafiz.common.refusal import Refusal
from muhafiz.keyring.actions.seals import seal
from muhafiz.keyring.queries import unseal
from muhafiz.web.addresses import is_ours
from muhafiz.web.fresh import is_fresh
from muhafiz.web.place import cert_name
from muhafiz.web.refusals import sentence
from muhafiz.web.signin.letters import send_notice
from muhafiz.web.signin.sessions import client_address, dismiss, moment_of

_SEALED_FOR: Final = "mfa_authenticator.data"

#: One sentence for every wrong pair, so that nobody learns which addresses are known.
_WRONG_PAIR = gettext_lazy("This address and password do not go together.")
_WRONG_CODE = gettext_lazy("This code is not right. Codes change every 30 seconds.")


class NoOtherLetters(RuntimeError):  # noqa: N818 - named for what is refused
    """allauth wanted to send mail by itself; every letter of the house goes through its gate."""


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth carries no types
    """Passwords and sessions."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": _WRONG_PAIR,
        "incorrect_password": gettext_lazy("This is not your password."),
        "incorrect_code": _WRONG_CODE,
        "invalid_password_reset": gettext_lazy("This link is used up or out of date."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody signs themselves up: people are invited."""
        del request
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        """The person of this address and password; None when they do not go together.

        The try is counted before any hash is computed.
        """
        tried = {
            "account": str(credentials.get("email", "")),
            "address": client_address(request),
        }
        try:
            begin_try(**tried, now=moment_of(request))
        except TooManyTries as refusal:
            raise self.validation_error_of(refusal) from None
        found = authenticate(request, **credentials)
        if found is None:
            fail_try(**tried, way="password", now=moment_of(request))
            return None
        clear_tries(**tried)
        return found

    def reauthenticate(self, user: Any, password: str) -> bool:
        """Whether this is the person's password; tries are counted as at the door."""
        found = self.authenticate(self.request, email=user.email, password=password)
        return found is not None and found.pk == user.pk

    def validation_error_of(self, refusal: Refusal) -> Exception:
        """A refusal as a form shows it."""
        from django.core.exceptions import ValidationError  # noqa: PLC0415 - as allauth does

        return ValidationError(sentence(refusal), code=refusal.code)

    def logout(self, request: HttpRequest) -> None:
        """Sign out, in the people's own list as well."""
        dismiss(request)

    def set_password(self, user: Any, password: str) -> None:
        """Keep the password chosen by letter; every session of the person's ends."""
        found, now = person(user.pk), moment_of(self.request)
        if found is None or not found.active:
            return
        set_password(person_id=user.pk, password=password, actor=found.actor(), now=now)
        send_notice(found, "password", actor=found.actor(), now=now)
        user.refresh_from_db()

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Never: see `web.signin.letters`.

        Raises:
            NoOtherLetters: always.
        """
        del email, context
        raise NoOtherLetters(template_prefix)

    def add_message(  # noqa: PLR0917 - as allauth calls it
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        message_context: dict[str, Any] | None = None,
        extra_tags: str = "",
        message: str | None = None,
    ) -> None:
        """Say what happened in our own words, or nothing."""
        del message_context
        words = message or _words(message_template or "")
        if words:
            messages.add_message(request, level, words, extra_tags=extra_tags)

    def is_reauthentication_required(self, **_: Any) -> bool:
        """Not within the minutes after the person proved who they are."""
        return not is_fresh(self.request)

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Ways to prove again who is there, the first of them the usual one."""
        found: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        words = {
            "reauthenticate": _("Use your password"),
            "mfa_reauthenticate": _("Use your authenticator app or a recovery code"),
            "mfa_reauthenticate:webauthn": _("Use a passkey"),
        }
        found = [method | {"description": words[method["id"]]} for method in found]
        if settings.DEMONSTRATION and user.is_authenticated and not found:
            found.append(
                {"id": "button", "description": "", "url": reverse("confirm-demonstration")}
            )
        return found

    def is_safe_url(self, url: str) -> bool:
        """Whether sign-in may lead there: not to every name in `MUHAFIZ_HOSTS`."""
        return is_ours(self.request, url)

    def get_client_ip(self, request: HttpRequest) -> str:
        """Who asks."""
        return client_address(request)


def _words(template: str) -> str:
    told = {
        "mfa/messages/totp_activated.txt": _("Your authenticator app is set up."),
        "mfa/messages/totp_deactivated.txt": _("Your authenticator app is removed."),
        "mfa/messages/webauthn_added.txt": _("The passkey is added."),
        "mfa/messages/webauthn_removed.txt": _("The passkey is removed."),
        "mfa/messages/recovery_codes_generated.txt": _("New recovery codes are made."),
        "account/messages/password_changed.txt": _("Your password is changed."),
    }
    return told.get(template, "")


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth carries no types
    """Second factors."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": _WRONG_CODE,
        "cannot_generate_recovery_codes": gettext_lazy(
            "Set up an authenticator app or a passkey first."
        ),
    }

    def encrypt(self, text: str) -> str:
        """Secrets rest sealed by the keyring."""
        return base64.b64encode(seal(text.encode(), context=_SEALED_FOR)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """The secret itself."""
        return unseal(base64.b64decode(encrypted_text), context=_SEALED_FOR).decode()

    def generate_authenticator_name(self, user: Any, type: Any) -> str:  # noqa: A002 - as allauth calls it
        """A name for a new passkey, until its owner gives it a better one."""
        count = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return _("Passkey") if not count else f"{_('Passkey')} {count + 1}"

    def get_totp_issuer(self) -> str:
        """How an authenticator app names the entry: in English, for a small square code."""
        with override("en"):
            return self._get_site_name()

    def _get_site_name(self) -> str:
        from allauth.core import context  # noqa: PLC0415 - as allauth does

        return cert_name(moment_of(context.request)) or _("Muhafiz")
