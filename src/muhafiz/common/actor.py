"""Who does a thing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

ActorKind = Literal["person", "job", "command", "public"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, as the audit log will name them.

    `identifier` is stable (a person's id, a job's name); `name` is for human eyes.
    `organization_id` is set only for a constituent's own people.
    """

    kind: ActorKind
    identifier: str
    name: str
    roles: frozenset[str] = field(default_factory=frozenset)
    organization_id: int | None = None

    @classmethod
    def job(cls, name: str) -> Actor:
        """The platform itself, working a job from its queue."""
        return cls(kind="job", identifier=name, name=name)

    @classmethod
    def command(cls, login: str) -> Actor:
        """An operator at the machine's command line, named by their system login."""
        return cls(kind="command", identifier=login, name=login)

    def __str__(self) -> str:
        return f"{self.kind}:{self.identifier}"
