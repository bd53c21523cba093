"""What people type to sign in and to set up factors; allauth's forms with the house's words."""

from __future__ import annotations

import base64
import json
from typing import Any, Final

from allauth.account.forms import LoginForm, ReauthenticateForm, ResetPasswordKeyForm
from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm as _AuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as _ReauthenticateByCodeForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY, generate_totp_secret
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from muhafiz.accounts.actions.tries import (
    begin_try,
    begin_try_of_nobody,
    clear_tries,
    clear_tries_of_nobody,
    code_account,
    fail_try,
    use_code,
)
from muhafiz.common.refusal import Refusal
from muhafiz.formats.lines import one_line
from muhafiz.web.refusals import sentence
from muhafiz.web.signin.sessions import client_address, moment_of

_EMPTY: Final = _("Fill this in.")
_NO_ADDRESS: Final = _("This is no mail address. Write it like name@example.org.")
_DIFFERENT: Final = _("The two passwords are not the same.")


class _OurWords(forms.Form):
    """Every field says in the house's words that it is empty."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.error_messages["required"] = _EMPTY


class SignInForm(_OurWords, LoginForm):  # type: ignore[misc]  # allauth carries no types
    """Address and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].error_messages["invalid"] = _NO_ADDRESS
        for check in self.fields["login"].validators:
            if hasattr(check, "message"):
                check.message = _NO_ADDRESS


class ConfirmForm(_OurWords, ReauthenticateForm):  # type: ignore[misc]  # as above
    """The password once more."""


class NewPasswordForm(_OurWords):
    """A new password, typed twice."""

    password1 = forms.CharField(strip=False, max_length=1000)
    password2 = forms.CharField(strip=False, max_length=1000)

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        self.user = user
        super().__init__(*args, **kwargs)

    def clean_password1(self) -> str:
        """The password, if it is good enough."""
        chosen = str(self.cleaned_data["password1"])
        validate_password(chosen, self.user)
        return chosen

    def clean(self) -> dict[str, Any]:
        """Both must be the same."""
        cleaned = super().clean() or {}
        first, second = cleaned.get("password1"), cleaned.get("password2")
        if first and second and first != second:
            self.add_error("password2", str(_DIFFERENT))
        return cleaned


class ResetForm(_OurWords, ResetPasswordKeyForm):  # type: ignore[misc]  # allauth carries no types
    """A new password, by a letter's link."""

    def clean(self) -> dict[str, Any]:
        """Both must be the same."""
        cleaned: dict[str, Any] = forms.Form.clean(self) or {}
        first, second = cleaned.get("password1"), cleaned.get("password2")
        if first and second and first != second:
            self.add_error("password2", str(_DIFFERENT))
        return cleaned


class _CountedCode(forms.Form):
    """A code is tried as seldom as a password, and used once."""

    user: Any

    def clean_code(self) -> str:
        """The code, if it is right, not used before, and not tried too often."""
        request = context.request
        tried = {"account": code_account(self.user.pk), "address": client_address(request)}
        try:
            begin_try(**tried, now=moment_of(request))
        except Refusal as refusal:
            raise _error(refusal) from None
        try:
            code = str(super().clean_code())  # type: ignore[misc]  # of the form mixed with
        except ValidationError:
            self._failed(tried)
            raise
        try:
            use_code(person_id=self.user.pk, code=code, now=moment_of(request))
        except Refusal as refusal:
            raise _error(refusal) from None
        clear_tries(**tried)
        return code

    def _failed(self, tried: dict[str, str]) -> None:
        fail_try(
            account=self.user.email,
            address=tried["address"],
            way="code",
            counted_as=tried["account"],
            now=moment_of(context.request),
        )


class CodeForm(_CountedCode, _OurWords, _AuthenticateForm):  # type: ignore[misc]  # as above
    """A code of the authenticator app, or a recovery code."""


class ConfirmCodeForm(_CountedCode, _OurWords, _ReauthenticateByCodeForm):  # type: ignore[misc]  # as above
    """The same, to prove again who is there."""


class SetUpAppForm(_CountedCode, _OurWords, ActivateTOTPForm):  # type: ignore[misc]  # as above
    """The first code of an authenticator app.

    Until it comes, the secret waits in the session, sealed.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.user = kwargs.pop("user")
        forms.Form.__init__(self, *args, **kwargs)
        self.fields["code"].error_messages["required"] = _EMPTY
        session, adapter = context.request.session, get_adapter()
        kept = session.get(SECRET_SESSION_KEY)
        self.secret = adapter.decrypt(kept) if kept else generate_totp_secret()
        if not kept:
            session[SECRET_SESSION_KEY] = adapter.encrypt(self.secret)


class _Credential(forms.JSONField):
    """What a passkey answered; what is nested beyond all measure is none."""

    def to_python(self, value: Any) -> Any:
        """The answer, unpacked."""
        try:
            return super().to_python(value)
        except RecursionError:
            raise ValidationError("nested too deep") from None


class _CountedPasskey(forms.Form):
    """A passkey is tried as seldom as a password; one that does not fit is an entry of the log."""

    user: Any
    credential = _Credential(widget=forms.HiddenInput)

    def clean_credential(self) -> Any:
        """The person's passkey, given to a page of ours and not tried too often."""
        request = context.request
        address, now = client_address(request), moment_of(request)
        try:
            begin_try_of_nobody(address=address, now=now)
        except Refusal as refusal:
            raise _error(refusal) from None
        try:
            check_origin(request, self.cleaned_data["credential"])
            found = super().clean_credential()  # type: ignore[misc]  # of the form mixed with
        except ValidationError:
            email = self.user.email if self.user else ""
            fail_try(account=email, address=address, way="passkey", now=now)
            raise ValidationError(_("This passkey does not fit.")) from None
        clear_tries_of_nobody(address=address)
        return found


def check_origin(request: HttpRequest, credential: Any) -> None:
    """Refuse what a browser signed for another site.

    A passkey is bound to our host name, and browsers let every page below that name use it. So the
    page itself must be ours: one on a neighboring host could ask for the signature and pass it on.

    Raises:
        ValidationError: it is another's, or does not say.
    """
    try:
        packed = str(credential["response"]["clientDataJSON"])
        told = json.loads(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)))["origin"]
    except (KeyError, TypeError, ValueError, RecursionError):
        raise ValidationError("no origin") from None
    here = f"{request.scheme}://{request.get_host()}"
    if told not in (here, settings.PUBLIC_URL):
        raise ValidationError("another origin")


class PasskeyForm(_CountedPasskey, AuthenticateWebAuthnForm):  # type: ignore[misc]  # as above
    """A passkey as the second factor."""


class SignInByPasskeyForm(_CountedPasskey, LoginWebAuthnForm):  # type: ignore[misc]  # as above
    """A passkey alone."""


class ConfirmByPasskeyForm(_CountedPasskey, ReauthenticateWebAuthnForm):  # type: ignore[misc]  # as above
    """A passkey, to prove again who is there."""


class NewPasskeyForm(AddWebAuthnForm):  # type: ignore[misc]  # allauth carries no types
    """A new passkey under a name; each one lets in without a password."""

    credential = _Credential(widget=forms.HiddenInput)

    def clean_name(self) -> str:
        """The name on one line."""
        return one_line(str(self.cleaned_data.get("name", "")), 60) or str(_("Passkey"))

    def clean(self) -> dict[str, Any]:
        """The browser's answer, checked."""
        self.cleaned_data["passwordless"] = True
        try:
            check_origin(context.request, self.cleaned_data.get("credential"))
            cleaned: dict[str, Any] = super().clean()
        except ValidationError:
            raise ValidationError(_("This passkey could not be added. Try again.")) from None
        return cleaned


def _error(refusal: Refusal) -> ValidationError:
    return ValidationError(sentence(refusal), code=refusal.code)
