"""A rule's no, with a reason a person can read."""

from __future__ import annotations

from typing import ClassVar


class Refusal(Exception):  # noqa: N818 - named for what was refused, e.g. CannotClose
    """Base of every typed refusal.

    A subclass sets `text`, an English sentence with `{name}` places. The faces translate `text`
    and fill it from `params`; nothing below a face translates. `str()` gives the English sentence.
    """

    text: ClassVar[str] = "This cannot be done."

    def __init__(self, **params: object) -> None:
        self.params = params
        super().__init__(self.text.format(**params))

    @property
    def code(self) -> str:
        """The refusal's stable name, as API clients and the audit log see it."""
        return type(self).__name__
