"""What the lake refuses, and why."""

from __future__ import annotations

from muhafiz.common.refusal import Refusal


class DiskNearlyFull(Refusal):
    """Writing would leave too little of the disk: intake stops before the disk does."""

    text = (
        "The disk of {folder} has {free_percent} % free; "
        "below {needed_percent} % nothing is stored."
    )


class BadBatch(Refusal):
    """The batch has not the columns of `formats.events.ACCEPTED`, or a row of another report."""

    text = "The batch cannot be stored: {reason}"


class BadQuery(Refusal):
    """The question has no meaning."""

    text = "The query cannot be answered: {reason}"


class SegmentUnreadable(Refusal):
    """A file of the lake is missing or damaged; the others still answer."""

    text = "Segment {segment} ({path}) cannot be read: {reason}. Run “muhafiz lake verify”."


class QueryTooSlow(Refusal):
    """The query was interrupted at its time limit."""

    text = "The query took longer than {seconds} seconds and was stopped. Narrow it."


class QueryTooBig(Refusal):
    """The query needs more memory than one query may use."""

    text = "The query needs more than {memory_mib} MiB of memory. Narrow it."


class EngineMissing(Refusal):
    """The distributed engine is asked for, but its client is not installed."""

    text = "The lake's distributed engine needs the package {package}: install muhafiz[scale]."


class EngineUnreachable(Refusal):
    """The distributed engine does not answer."""

    text = "The lake's distributed engine at {remote} does not answer. Try again in a moment."


class EngineFailed(Refusal):
    """The distributed engine answered with a fault of its own, or does not see the lake's files."""

    text = "The lake's distributed engine could not answer: {reason}"


class LakeBusy(Refusal):
    """Too many wide queries run at once."""

    text = "Too many queries are running. Try again in a moment."


class CannotCompact(Refusal):
    """The day changed while it was being rewritten; the next run takes it."""

    text = "The day {day} changed while it was rewritten; nothing was replaced."
