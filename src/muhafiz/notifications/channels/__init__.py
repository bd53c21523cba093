"""The ways a message can leave: one folder each, discovered, never listed.

A channel's package exports `CHANNEL`. `chosen_channel` is the only place where one is picked, so
the demonstration lane is closed in one place: there, nothing but the folder is ever opened.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from functools import cache
from typing import Literal, Protocol

from django.conf import settings

#: The demonstration lane's only channel.
DEMONSTRATION_CHANNEL = "folder"


@dataclass(frozen=True, slots=True)
class Envelope:
    """From whom to whom (RFC 5321), and the name that stays the same in every attempt."""

    sender: str
    recipient: str
    message_id: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a hand-over.

    `sent`: the peer took it. `temporary`: certainly not taken, try again. `permanent`: certainly
    not taken, useless to try again. `unsure`: it may have been taken. `words` are the peer's.
    `recipient_refused`: it was the recipient that the peer refused.
    """

    kind: Literal["sent", "temporary", "permanent", "unsure"]
    words: str
    recipient_refused: bool = False


class ChannelUnavailable(Exception):  # noqa: N818 - a state of the channel, not a bug
    """The channel cannot be reached or does not let us in: no message is to blame."""


class Session(Protocol):
    """An open way out, used for many messages, by one thread."""

    def ready(self) -> None:
        """See that a message can be handed over now; open or reopen what is needed.

        Raises:
            ChannelUnavailable: no message was touched.
        """
        ...

    def hand_over(self, envelope: Envelope, content: bytes) -> Outcome:
        """Hand one message to the peer and tell what is certain about it.

        Raises:
            ChannelUnavailable: the message was certainly not taken, and others would fare alike.
        """
        ...

    def close(self) -> None:
        """Take leave; never raises for a peer that is gone."""
        ...


class Channel(Protocol):
    """A way out."""

    @property
    def name(self) -> str:
        """Its folder's name."""
        ...

    def configured(self) -> bool:
        """Whether the settings give it what it needs."""
        ...

    def session(self) -> Session:
        """A way out, not yet opened."""
        ...


@cache
def channels() -> dict[str, Channel]:
    """Every channel there is, by name."""
    names = [module.name for module in pkgutil.iter_modules(__path__) if module.ispkg]
    return {name: importlib.import_module(f"{__name__}.{name}").CHANNEL for name in sorted(names)}


def chosen_channel() -> Channel | None:
    """The channel that messages leave by; None when no channel is configured: they stay queued."""
    if settings.DEMONSTRATION:
        return channels()[DEMONSTRATION_CHANNEL]
    for name, channel in channels().items():
        if name != DEMONSTRATION_CHANNEL and channel.configured():
            return channel
    return None
