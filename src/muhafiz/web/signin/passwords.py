"""What a password must be, said in the house's words."""

from __future__ import annotations

from typing import Any, Final

from django.contrib.auth.password_validation import (
    CommonPasswordValidator,
    UserAttributeSimilarityValidator,
)
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

#: NIST SP 800-63B: length is what counts; nobody is made to mix kinds of signs.
SHORTEST: Final = 12
LONGEST: Final = 200


class LongEnough:
    """Not too short; not so long that hashing it is an attack."""

    def validate(self, password: str, user: Any = None) -> None:
        """Refuse a password that is too short or too long.

        Raises:
            ValidationError: in the reader's language.
        """
        del user
        if len(password) < SHORTEST:
            raise ValidationError(
                _("Too short: use at least {least} characters, for example four words.").format(
                    least=SHORTEST
                )
            )
        if len(password) > LONGEST:
            raise ValidationError(
                _("Too long: use at most {most} characters.").format(most=LONGEST)
            )

    def get_help_text(self) -> str:
        """Nothing: the page says it in its own place."""
        return ""


class NotCommon(CommonPasswordValidator):
    """None of the 20,000 that are guessed first, nor one of them with signs around it."""

    def validate(self, password: str, user: Any = None) -> None:
        """Refuse a password that many people use.

        Raises:
            ValidationError: in the reader's language.
        """
        del user
        core = password.strip("0123456789!@#$%^&*.-_ ")
        for each in (password, core):
            if each.lower() in self.passwords or len(set(each.lower())) < 4:  # noqa: PLR2004 - "aaaabbbb"
                raise ValidationError(_("Too common: this is one of the first that are guessed."))


class NotLikeYou(UserAttributeSimilarityValidator):
    """Not the person's own address or name."""

    def __init__(self) -> None:
        super().__init__(user_attributes=("email", "name"))

    def validate(self, password: str, user: Any = None) -> None:
        """Refuse a password that resembles its person.

        Raises:
            ValidationError: in the reader's language.
        """
        try:
            super().validate(password, user)
        except ValidationError:
            raise ValidationError(_("Too easy: it resembles your name or address.")) from None
