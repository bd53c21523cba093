"""Which texts are plainly domain names already, told for a whole column by its bytes.

Nearly every name that a source gives is: lower case, letters and digits and hyphens in the right
places, a top that is no number. What is not told here is not wrong: it is looked at one by one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_Bytes = npt.NDArray[np.uint8]
_Ints = npt.NDArray[np.int64]
_Flags = npt.NDArray[np.bool_]

_DOT, _HYPHEN, _NINE = ord("."), ord("-"), ord("9")
_LONGEST = 64  # a shorter name of two labels has no label over 63 bytes
_PLAIN = b"abcdefghijklmnopqrstuvwxyz0123456789-."


def doubtful_names(letters: _Bytes, ends: npt.NDArray[np.int32]) -> _Ints:
    """Places of the texts not known to be normalized names, or empty.

    Args:
        letters: the texts' bytes, end to end.
        ends: where each text starts in `letters`, and where the last one ends.
    """
    letters, ends = letters[ends[0] : ends[-1]], ends - ends[0]
    every = np.arange(len(ends) - 1)
    dot, hyphen = letters == _DOT, letters == _HYPHEN
    if letters.tobytes().translate(None, _PLAIN) or _misplaced(dot, hyphen):
        return every
    lengths = np.diff(ends)
    dots = np.flatnonzero(dot)
    before = np.searchsorted(dots, ends)
    doubtful = (lengths > _LONGEST) | (np.diff(before) == 0)
    doubtful &= lengths > 0
    sure = np.flatnonzero(~doubtful & (lengths > 0))
    first, last = letters[ends[sure]], letters[ends[sure + 1] - 1]
    top = letters[np.minimum(dots[before[sure + 1] - 1] + 1, len(letters) - 1)]
    doubtful[sure] = _edge(first) | _edge(last) | (top <= _NINE)
    return np.flatnonzero(doubtful)


def _misplaced(dot: _Flags, hyphen: _Flags) -> bool:
    """Whether two dots meet anywhere, or a dot and a hyphen."""
    return bool((dot[1:] & (dot[:-1] | hyphen[:-1])).any() or (hyphen[1:] & dot[:-1]).any())


def _edge(letters: _Bytes) -> npt.NDArray[np.bool_]:
    """Where a name may neither begin nor end: with a hyphen or dot."""
    found: npt.NDArray[np.bool_] = (letters == _HYPHEN) | (letters == _DOT)
    return found
