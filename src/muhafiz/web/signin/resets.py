"""The token of a letter for a new password: kept nowhere, worth nothing after the change."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.utils.http import base36_to_int

from muhafiz.accounts.actions.clock import read_clock
from muhafiz.common.clock import SystemClock

_SLACK: Final = timedelta(minutes=1)  # two machines' clocks may differ by this much


class ResetTokens(PasswordResetTokenGenerator):
    """Makes and checks tokens; one of the future, or read by a clock set back, is worth nothing.

    The token is bound to the person's address and to the hash of the password it replaces.
    """

    def check_token(self, user: Any, token: str | None) -> bool:
        """Whether the token is this person's, and in time.

        Raises:
            ClockWentBack: an expired token could pass for a valid one.
        """
        if not token or not super().check_token(user, token):
            return False
        read_clock(SystemClock().now())
        made = base36_to_int(token.partition("-")[0])  # as the check above has read it
        return made <= self._num_seconds(self._now() + _SLACK)

    def _now(self) -> datetime:
        return SystemClock().now().replace(tzinfo=None)


def reset_token(person_id: int) -> tuple[str, str]:
    """The person's number and token, as the link's address carries them."""
    from allauth.account.utils import user_pk_to_url_str  # noqa: PLC0415 - allauth loads this module

    row = get_user_model().objects.get(pk=person_id)
    return user_pk_to_url_str(row), ResetTokens().make_token(row)
