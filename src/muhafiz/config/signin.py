"""How people sign in: what Django and allauth are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from muhafiz.config.environment import BadEnvironment, Environment

_RULES = "muhafiz.web.signin.passwords"
_FORMS = "muhafiz.web.signin.forms"
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def sign_in_settings(environment: Environment) -> dict[str, Any]:
    """The settings of Django's passwords and of allauth."""
    return {
        "AUTHENTICATION_BACKENDS": ["allauth.account.auth_backends.AuthenticationBackend"],
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.Argon2PasswordHasher"],
        "AUTH_PASSWORD_VALIDATORS": [
            {"NAME": f"{_RULES}.{name}"} for name in ("LongEnough", "NotCommon", "NotLikeYou")
        ],
        "PASSWORD_RESET_TIMEOUT": 60 * 60,
        "ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR": "muhafiz.web.signin.resets.ResetTokens",
        "LOGIN_URL": "account_login",
        "LOGIN_REDIRECT_URL": "begin",
        "ACCOUNT_ADAPTER": "muhafiz.web.signin.adapters.AccountAdapter",
        "ACCOUNT_FORMS": {
            "login": f"{_FORMS}.SignInForm",
            "reauthenticate": f"{_FORMS}.ConfirmForm",
            "reset_password_from_key": f"{_FORMS}.ResetForm",
        },
        "ACCOUNT_LOGIN_METHODS": {"email"},
        "ACCOUNT_SIGNUP_FIELDS": ["email*", "password1*"],
        "ACCOUNT_USER_MODEL_USERNAME_FIELD": None,
        "ACCOUNT_EMAIL_VERIFICATION": "none",
        "ACCOUNT_SESSION_REMEMBER": False,
        "ACCOUNT_LOGOUT_REDIRECT_URL": "/",
        "ACCOUNT_RATE_LIMITS": False,  # accounts counts in the database, for all processes
        "MFA_ADAPTER": "muhafiz.web.signin.adapters.FactorAdapter",
        "MFA_FORMS": {
            "authenticate": f"{_FORMS}.CodeForm",
            "reauthenticate": f"{_FORMS}.ConfirmCodeForm",
            "activate_totp": f"{_FORMS}.SetUpAppForm",
            "authenticate_webauthn": f"{_FORMS}.PasskeyForm",
            "login_webauthn": f"{_FORMS}.SignInByPasskeyForm",
            "reauthenticate_webauthn": f"{_FORMS}.ConfirmByPasskeyForm",
            "add_webauthn": f"{_FORMS}.NewPasskeyForm",
        },
        "MFA_RATE_LIMITS": False,
        "MFA_SUPPORTED_TYPES": ["totp", "webauthn", "recovery_codes"],
        "MFA_PASSKEY_LOGIN_ENABLED": True,
        "MFA_RECOVERY_CODES_SHOW_ONCE": True,
        "MFA_RECOVERY_CODE_DIGITS": 10,
        "MFA_TOTP_TOLERANCE": 1,
        "SOCIALACCOUNT_ADAPTER": "muhafiz.web.signin.oidc.ElsewhereAdapter",
        "SOCIALACCOUNT_LOGIN_ON_GET": True,  # a form may not be sent abroad (form-action 'self')
        "SOCIALACCOUNT_PROVIDERS": _elsewhere(environment),
    }


def _elsewhere(environment: Environment) -> dict[str, Any]:
    """The sign-in of another house (OpenID Connect), when it is configured."""
    issuer = environment.text("MUHAFIZ_OIDC_ISSUER").rstrip("/")
    if not issuer:
        return {}
    parts = urlsplit(issuer)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise BadEnvironment("MUHAFIZ_OIDC_ISSUER must begin with https://.")
    client = environment.text("MUHAFIZ_OIDC_CLIENT_ID")
    if not client:
        raise BadEnvironment("MUHAFIZ_OIDC_ISSUER is set, but MUHAFIZ_OIDC_CLIENT_ID is not.")
    return {
        "openid_connect": {
            "OAUTH_PKCE_ENABLED": True,
            "APPS": [
                {
                    "provider_id": "house",
                    "name": environment.text("MUHAFIZ_OIDC_NAME"),
                    "client_id": client,
                    "secret": _secret(environment),
                    "settings": {"server_url": issuer},
                }
            ],
        }
    }


def _secret(environment: Environment) -> str:
    """The client's secret: from its file, else from the environment."""
    file = environment.text("MUHAFIZ_OIDC_SECRET_FILE")
    if not file:
        return environment.text("MUHAFIZ_OIDC_SECRET")
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadEnvironment(f"MUHAFIZ_OIDC_SECRET_FILE cannot be read: {error}") from None
