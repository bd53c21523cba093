"""Text from outside made harmless for one line: a header, a title, a reason, a column."""

from __future__ import annotations

import re
from typing import Final

_CONTROLS: Final = re.compile("[\x00-\x20\x7f-\xa0\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]+")
LONE_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_MOST: Final = 400


def one_line(text: str, most: int = _MOST) -> str:
    """`text` on one line of at most `most` characters.

    Controls, NUL, line ends and direction overrides become single blanks; half characters become
    U+FFFD; "=?", with which an encoded word of mail begins, is parted. Doing it twice changes
    nothing.
    """
    clean = _CONTROLS.sub(" ", LONE_SURROGATES.sub("\ufffd", text)).replace("=?", "= ?").strip()
    return clean if len(clean) <= most else clean[: most - 1].rstrip() + "…"
