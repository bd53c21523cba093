"""The token of a letter for a new password: kept nowhere, worth nothing after the change."""

from __future__ import annotations

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.contrib.auth import get_user_model


def reset_token(person_id: int) -> tuple[str, str]:
    """The person's number and token, as the link's address carries them."""
    row = get_user_model().objects.get(pk=person_id)
    return user_pk_to_url_str(row), default_token_generator.make_token(row)
