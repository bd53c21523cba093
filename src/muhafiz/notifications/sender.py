"""In whose name messages are written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from typing import Final

from django.conf import settings

from muhafiz.formats.mail import BadAddress, plain_address
from muhafiz.rulebook.queries import value_or

#: No letter of the demonstration lane leaves the machine, so its sender is nobody (RFC 2606).
_DEMONSTRATION_SENDER: Final = "cert@demonstration.invalid"


@dataclass(frozen=True, slots=True)
class Sender:
    """The house's mail address and its name by language; an empty address: none is set."""

    address: str
    names: dict[str, str]

    def name(self, language: str) -> str:
        """The name in `language`, else in English, else any."""
        short = language.split("-", maxsplit=1)[0].lower()
        return self.names.get(short) or self.names.get("en") or next(iter(self.names.values()), "")

    @property
    def domain(self) -> str:
        """The domain that Message-IDs are made in."""
        return self.address.rpartition("@")[2] or "localhost.invalid"


def house_sender(*, at: datetime) -> Sender:
    """MUHAFIZ_MAIL_FROM, else the rulebook's `cert.mail_from`, with the name of `cert.name`."""
    named = value_or("cert.name", {}, at=at)
    names = {str(k): str(v) for k, v in named.items()} if isinstance(named, dict) else {}
    chosen = settings.MAIL_FROM or value_or("cert.mail_from", "", at=at)
    if not chosen and settings.DEMONSTRATION:
        chosen = _DEMONSTRATION_SENDER
    shown, address = parseaddr(str(chosen or ""))
    try:
        address = plain_address(address)
    except BadAddress:
        address = ""
    return Sender(address, {"en": shown} if shown else names)
