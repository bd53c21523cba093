"""What an export may be: formats, columns, how long it lies, what is refused. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final

from muhafiz.common.refusal import Refusal
from muhafiz.formats import tlp
from muhafiz.formats.events import STORED

#: Format → (ending of the file, media type).
FORMATS: Final = {
    "csv": ("csv", "text/csv; charset=utf-8"),
    "jsonl": ("jsonl", "application/x-ndjson"),
    "parquet": ("parquet", "application/vnd.apache.parquet"),
}
#: Columns that tell nothing a reader could use: bytes beside their text, names turned round.
_OURS: Final = frozenset({"source_address", "destination_address", "source_fqdn_reversed"})
COLUMNS: Final = tuple(name for name in STORED.names if name not in _OURS)

KEPT: Final = timedelta(hours=24)
MOST_AT_ONCE: Final = 3  # of one person, waiting or being written

QUEUED: Final = "queued"
RUNNING: Final = "running"
READY: Final = "ready"
FAILED: Final = "failed"
CANCELLED: Final = "cancelled"
EXPIRED: Final = "expired"
UNDER_WAY: Final = (QUEUED, RUNNING)


class NoSuchExport(Refusal):
    """There is none, or it is somebody else's."""

    text = "There is no such export of yours."


class CannotExport(Refusal):
    """The request makes no sense."""

    text = "This cannot be exported: {reason}"


class TooManyExports(Refusal):
    """The person has enough under way."""

    text = "{most} exports of yours are under way. Wait for one to end, or cancel one."


class NothingToExport(Refusal):
    """No row may leave."""

    text = (
        "Nothing can be exported: {left_out} of the {found} events found are TLP:RED or "
        "unlabeled, which leave by no door."
    )


class CannotHandOut(Refusal):
    """The file is not there, or no longer to be had."""

    text = "This export cannot be downloaded: {reason}"


def check_request(format_name: str, columns: Iterable[str]) -> None:
    """Refuse a format or a column that there is not.

    Raises:
        CannotExport: saying which.
    """
    if format_name not in FORMATS:
        raise CannotExport(reason=f"there is no format “{format_name}”.")
    chosen = list(columns)
    strange = [name for name in chosen if name not in COLUMNS]
    if strange or not chosen:
        raise CannotExport(reason=f"there is no column “{', '.join(strange)}”.")


def ceiling(counts: Mapping[str | None, int]) -> tuple[str, int, int]:
    """Of events per label: the strictest label that may leave, how many may, how many may not.

    A missing or unknown label counts as RED.
    """
    leaving = {label: n for label, n in counts.items() if n and tlp.parse(label) != tlp.RED}
    staying = sum(counts.values()) - sum(leaving.values())
    return (tlp.strictest(leaving) if leaving else "", sum(leaving.values()), staying)
