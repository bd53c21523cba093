"""One spelling for each entry and head, so that a hash over it means the same everywhere. Pure.

An entry is one line of JSON: ASCII only (other characters escaped), keys sorted, no spaces, time
in UTC with exactly six decimals. The line's bytes are the leaf of the tree, in the database as in
an export.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

#: What JSON can say. Secrets never belong in it.
JSON = None | bool | int | float | str | Sequence["JSON"] | Mapping[str, "JSON"]

FORMAT = "muhafiz-audit-1"
_LONGEST_INDEXED = 500  # characters, so at most 2,000 bytes; PostgreSQL indexes up to 2,704


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the log: what was done (`action`) to what (`subject`), by whom and when.

    `actor` is "kind:identifier"; `name` is the actor's name at that time; `details` is JSON text
    in canonical form.
    """

    index: int
    at: datetime
    actor: str
    name: str
    action: str
    subject: str
    details: str

    def line(self) -> bytes:
        """The canonical bytes, without a line end."""
        quoted = json.dumps
        return (
            f'{{"action":{quoted(self.action)},"actor":{quoted(self.actor)},'
            f'"at":"{utc_text(self.at)}","details":{self.details},"index":{self.index},'
            f'"name":{quoted(self.name)},"subject":{quoted(self.subject)}}}'
        ).encode("ascii", "backslashreplace")  # ASCII already, unless somebody tampered with it


def utc_text(moment: datetime) -> str:
    """`moment` in UTC with exactly six decimals.

    Raises:
        ValueError: it has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError("An audit entry's time needs a time zone.")
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def details_text(details: Mapping[str, JSON]) -> str:
    """`details` as canonical JSON.

    Raises:
        TypeError: something in it is not JSON (a date, a set, bytes…).
        ValueError: a number is not finite.
    """
    return json.dumps(
        details, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )


def storable(text: str) -> str:
    """`text` as every database can keep it: NUL and lone surrogates become U+FFFD."""
    if text.isascii() and "\0" not in text:
        return text
    return "".join("\ufffd" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in text)


def indexable(text: str) -> str:
    """`text`, storable and short enough for every database's index.

    Of a longer one the beginning stays, with the SHA-256 of the whole.
    """
    kept = storable(text)
    if len(kept) <= _LONGEST_INDEXED:
        return kept
    digest = hashlib.sha256(kept.encode("utf-8")).hexdigest()
    return f"{kept[: _LONGEST_INDEXED - 80]}… sha256:{digest}"


def head_text(log: str, size: int, root: bytes, at: datetime) -> bytes:
    """What a head's signature covers: a C2SP tlog-checkpoint body with the time as extension."""
    encoded = base64.b64encode(root).decode("ascii")
    return f"{FORMAT}/{log}\n{size}\n{encoded}\n{utc_text(at)}\n".encode("ascii")
