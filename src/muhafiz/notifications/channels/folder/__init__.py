"""Messages as .eml files in settings.LETTERS: the demonstration lane."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings

from muhafiz.notifications.channels import ChannelUnavailable, Envelope, Outcome

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9.-]+")


@dataclass(frozen=True, slots=True)
class FolderSession:
    """One file per message, named by its Message-ID: written aside, made durable, renamed."""

    folder: Path

    def ready(self) -> None:
        """See that the folder is there and may be written to."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ChannelUnavailable(f"{self.folder}: {error.strerror}") from error
        if not os.access(self.folder, os.W_OK):
            raise ChannelUnavailable(f"{self.folder} may not be written to")

    def hand_over(self, envelope: Envelope, content: bytes) -> Outcome:
        """Lay the message down; the same message twice is the same file."""
        name = _UNSAFE.sub("_", envelope.message_id.strip("<>")).strip("._")[:150] + ".eml"
        aside = self.folder / f".{name}.part"
        try:
            with aside.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            aside.replace(self.folder / name)
            self._sync()
        except OSError as error:
            aside.unlink(missing_ok=True)
            raise ChannelUnavailable(f"{self.folder}: {error.strerror}") from error
        return Outcome("sent", f"laid down as {name}")

    def close(self) -> None:
        """Nothing is open."""

    def _sync(self) -> None:
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@dataclass(frozen=True, slots=True)
class FolderChannel:
    """The folder; chosen in the demonstration lane only (see `chosen_channel`)."""

    name: str = "folder"

    def configured(self) -> bool:
        """Whether there is a folder to write to."""
        return bool(settings.LETTERS)

    def session(self) -> FolderSession:
        """A way into the folder."""
        return FolderSession(Path(settings.LETTERS))


CHANNEL: Final = FolderChannel()
