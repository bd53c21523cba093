"""Who may come to the pages outside both faces. A route without a row is found by a test.

The desk's and the portal's routes have their own tables (`web.desk.permissions`,
`web.portal.permissions`); sign-in and the front have no permission to ask for.
"""

from __future__ import annotations

from typing import Final, Literal

Who = Literal["everyone", "entered", "demonstration"]

#: route → (who, methods). “entered” is anybody who has signed in, about themselves alone.
ROUTES: Final[dict[str, tuple[Who, str]]] = {
    "front": ("everyone", "GET"),
    "enter": ("everyone", "GET, POST"),
    "enter-demonstration": ("demonstration", "POST"),
    "begin": ("entered", "GET"),
    "welcome": ("entered", "GET"),
    "leave": ("everyone", "POST"),
    "theme": ("everyone", "POST"),
    "language": ("everyone", "POST"),
    "view-save": ("entered", "POST"),
    "view-forget": ("entered", "POST"),
    "verify": ("everyone", "GET"),
    "own-key": ("everyone", "GET"),
    "contact-answer": ("everyone", "GET, POST"),
    "statistics": ("everyone", "GET"),
    "health": ("everyone", "GET"),
    "policy-report": ("everyone", "POST"),
    "account_login": ("everyone", "GET, POST"),
    "mfa_authenticate": ("everyone", "GET, POST"),
    "mfa_login_webauthn": ("everyone", "GET, POST"),
    "elsewhere": ("everyone", "GET"),
    "openid_connect_callback": ("everyone", "GET"),
    "account_reset_password": ("everyone", "GET, POST"),
    "account_reset_password_done": ("everyone", "GET"),
    "account_reset_password_from_key": ("everyone", "GET, POST"),
    "account_reset_password_from_key_done": ("everyone", "GET"),
    "invitation": ("everyone", "GET, POST"),
    "set-up": ("entered", "GET"),
    "password": ("entered", "GET, POST"),
    "mfa_activate_totp": ("entered", "GET, POST"),
    "app-picture": ("entered", "GET"),
    "mfa_deactivate_totp": ("entered", "GET, POST"),
    "mfa_view_recovery_codes": ("entered", "GET"),
    "mfa_generate_recovery_codes": ("entered", "GET, POST"),
    "mfa_add_webauthn": ("entered", "GET, POST"),
    "mfa_remove_webauthn": ("entered", "GET, POST"),
    "mine": ("entered", "GET"),
    "me-save": ("entered", "POST"),
    "mfa_index": ("entered", "GET"),
    "mfa_list_webauthn": ("entered", "GET"),
    "address": ("entered", "GET, POST"),
    "address-confirm": ("everyone", "GET, POST"),
    "session-end": ("entered", "POST"),
    "sessions-end": ("entered", "POST"),
    "account_reauthenticate": ("entered", "GET, POST"),
    "mfa_reauthenticate": ("entered", "GET, POST"),
    "mfa_reauthenticate_webauthn": ("entered", "GET, POST"),
    "confirm-demonstration": ("demonstration", "POST"),
    "sign-in-again": ("everyone", "GET, POST"),
    "go-on": ("entered", "GET, POST"),
}
