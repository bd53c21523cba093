"""What a constituent may ask about its networks, domains and AS numbers. Pure."""

from __future__ import annotations

import ipaddress
from typing import Final

from muhafiz.common.refusal import Refusal

WANTED: Final = ("add", "end")
STATES: Final = ("waiting", "approved", "refused", "withdrawn")
_LONGEST: Final = 500
#: Networks larger than these are no single organization's; the CERT enters such by hand.
_WIDEST: Final = {4: 8, 6: 20}


class CannotRequest(Refusal):
    """What is asked for makes no sense, or is asked already."""

    text = "This cannot be requested: {reason}."


class CannotDecide(Refusal):
    """The request is decided already, or no reason was given."""

    text = "This request cannot be decided: {reason}."


def check_wanted(wanted: str) -> None:
    """Refuse what is neither adding nor ending.

    Raises:
        CannotRequest: it is neither.
    """
    if wanted not in WANTED:
        raise CannotRequest(reason="it is neither an addition nor an end")


def check_breadth(kind: str, text: str) -> None:
    """Refuse a network that no single organization has.

    Raises:
        CannotRequest: it is too large.
    """
    if kind == "address":
        network = ipaddress.ip_network(text)
        if network.prefixlen < _WIDEST[network.version]:
            raise CannotRequest(reason="the network is larger than one organization's can be")


def checked_note(note: str) -> str:
    """The note on one line, as it is kept.

    Raises:
        CannotRequest: it is too long.
    """
    text = " ".join(note.split())
    if len(text) > _LONGEST:
        raise CannotRequest(reason="the note is longer than 500 letters")
    return text


def checked_reason(reason: str, *, needed: bool) -> str:
    """The reason of a decision, which the constituent reads.

    Raises:
        CannotDecide: it is needed and missing, or too long.
    """
    text = " ".join(reason.split())
    if needed and not text:
        raise CannotDecide(reason="a reason is needed, the constituent reads it")
    if len(text) > _LONGEST:
        raise CannotDecide(reason="the reason is longer than 500 letters")
    return text


def touch(kind: str, one: str, other: str) -> bool:
    """Whether two claims of one kind speak of something in common."""
    if kind == "address":
        first, second = ipaddress.ip_network(one), ipaddress.ip_network(other)
        return first.version == second.version and first.overlaps(second)
    if kind == "domain":
        return one == other or one.endswith("." + other) or other.endswith("." + one)
    return one == other
