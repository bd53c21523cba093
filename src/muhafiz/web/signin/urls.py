"""The addresses of signing in. What is not here does not exist: nobody signs themselves up."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account import views as account
from allauth.mfa.base import views as factors
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.urls import path, re_path

from muhafiz.accounts.tries import TooManyTries
from muhafiz.web import me
from muhafiz.web.allowances import AddressAllowance
from muhafiz.web.signin import oidc, views

View = Callable[..., HttpResponseBase]

#: Ways in that are begun in a minute from one address.
beginnings = AddressAllowance(30)


def whole(view: View) -> View:
    """The view, whose POST is one transaction: a change, its entry and its letter, or none."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method != "POST":
            return view(request, *args, **kwargs)
        with transaction.atomic():
            answered = view(request, *args, **kwargs)
            render = getattr(answered, "render", None)  # before the commit, so that it fails whole
            return answered if render is None else render()

    return answer


def begun(view: View) -> View:
    """The view, which one address may ask so often only: each answer opens a session.

    Raises:
        TooManyTries: it was asked too often.
    """

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method != "POST" and not beginnings.take(request):
            raise TooManyTries(minutes=1)
        return view(request, *args, **kwargs)

    return answer


def page(view: Any, template: str) -> View:
    """One of allauth's views in the house's own page."""
    shown: View = view.as_view(template_name=f"sign-in/{template}.html")
    return shown


urlpatterns = [
    path("", page(account.LoginView, "door"), name="account_login"),
    path("code/", page(factors.AuthenticateView, "code"), name="mfa_authenticate"),
    path("passkey/", begun(passkeys.LoginWebAuthnView.as_view()), name="mfa_login_webauthn"),
    path("elsewhere/", begun(oidc.elsewhere), name="elsewhere"),
    path(
        "elsewhere/<slug:provider_id>/back/",
        oidc.back_from_elsewhere,
        name="openid_connect_callback",
    ),
    path("forgotten/", views.forgotten, name="account_reset_password"),
    path("forgotten/sent/", views.forgotten_sent, name="account_reset_password_done"),
    path("forgotten/chosen/", views.password_chosen, name="account_reset_password_from_key_done"),
    re_path(
        r"^forgotten/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        whole(page(account.PasswordResetFromKeyView, "choose")),
        name="account_reset_password_from_key",
    ),
    path("invitation/<str:token>/", views.invitation, name="invitation"),
    path("set-up/", views.set_up, name="set-up"),
    path("password/", views.password, name="password"),
    path("app/", whole(page(totp.ActivateTOTPView, "app")), name="mfa_activate_totp"),
    path("app/picture/", views.app_picture, name="app-picture"),
    path(
        "app/remove/",
        whole(page(totp.DeactivateTOTPView, "app_remove")),
        name="mfa_deactivate_totp",
    ),
    path(
        "codes/", whole(page(codes.ViewRecoveryCodesView, "codes")), name="mfa_view_recovery_codes"
    ),
    path(
        "codes/new/",
        whole(page(codes.GenerateRecoveryCodesView, "codes_new")),
        name="mfa_generate_recovery_codes",
    ),
    path(
        "passkeys/add/", whole(page(passkeys.AddWebAuthnView, "passkey")), name="mfa_add_webauthn"
    ),
    path(
        "passkeys/<int:pk>/remove/",
        whole(page(passkeys.RemoveWebAuthnView, "passkey_remove")),
        name="mfa_remove_webauthn",
    ),
    path("mine/", views.mine, name="mine"),
    path("mine/save/", me.me_save, name="me-save"),
    path("mine/factors/", views.mine, name="mfa_index"),
    path("mine/passkeys/", views.mine, name="mfa_list_webauthn"),
    path("address/", views.address, name="address"),
    path("address/<str:token>/", views.address_confirm, name="address-confirm"),
    path("sessions/<int:session_id>/end/", views.session_end, name="session-end"),
    path("sessions/end/", views.sessions_end, name="sessions-end"),
    path("confirm/", page(account.ReauthenticateView, "confirm"), name="account_reauthenticate"),
    path(
        "confirm/code/", page(factors.ReauthenticateView, "confirm_code"), name="mfa_reauthenticate"
    ),
    path(
        "confirm/passkey/",
        page(passkeys.ReauthenticateWebAuthnView, "confirm_passkey"),
        name="mfa_reauthenticate_webauthn",
    ),
    path("confirm/button/", views.confirm_in_demonstration, name="confirm-demonstration"),
    path("confirm/again/", views.sign_in_again, name="sign-in-again"),
    path("go-on/", views.go_on, name="go-on"),
]
