"""How numbers are written, and what the press refuses."""

from __future__ import annotations

import re
from typing import Final

from muhafiz.common.refusal import Refusal

DEFAULT_FORMAT: Final = "{series}-{year}-{number:05d}"
_SERIES: Final = re.compile(r"[a-z][a-z0-9_-]{0,59}")
_LOOKALIKES: Final = str.maketrans({"O": "0", "I": "1", "L": "1"})
_CODE_LENGTH: Final = 12


class CannotTakeNumber(Refusal):
    """The series has no usable name, or too few or too many numbers were asked for."""

    text = "No number can be taken in “{series}”: {reason}."


class CannotKeepDocument(Refusal):
    """A document with this number is kept already, or something about it is missing."""

    text = "The document {number} cannot be kept: {reason}."


class CannotWithdraw(Refusal):
    """There is no such document, it is withdrawn already, or no reason was given."""

    text = "The document {number} cannot be withdrawn: {reason}."


def check_series(series: str, count: int) -> None:
    """A series is a short lower-case name; one to a million numbers are taken at once.

    Raises:
        CannotTakeNumber: it is not so.
    """
    if not _SERIES.fullmatch(series):
        raise CannotTakeNumber(series=series, reason="a series is named by lower-case letters")
    if not 1 <= count <= 1_000_000:  # noqa: PLR2004 - as the docstring says
        raise CannotTakeNumber(series=series, reason=f"{count} is no sensible count")


def bare_code(text: str) -> str | None:
    """A verify code as stored, however it was typed; None when `text` is no code.

    Hyphens, blanks and case do not matter, and Crockford's lookalikes (O, I, L) are read as meant.
    """
    bare = re.sub(r"[\s-]+", "", text).upper().translate(_LOOKALIKES)
    fits = len(bare) == _CODE_LENGTH and bare.isascii() and bare.isalnum() and "U" not in bare
    return bare if fits else None
