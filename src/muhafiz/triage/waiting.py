"""What a source tells of one thing that waits for a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """One thing that waits. Its kind and `key` name it for ever.

    Attributes:
        key: What it is about, unique within its kind; the same thing has the same key tomorrow.
        title: A code; the faces hold its words (`web/desk/queue_words.py`), filled from `params`.
        params: What the title speaks of: texts and numbers only.
        severity: One of `triage.rules.SEVERITIES`.
        since: Since when it lasts; None: since the queue heard of it.
        organization_id: Whose it is; None: nobody's or everybody's.
        tlp: How far the item's own text may go.
        reference: The number its own room gives it ("F-48207"); empty: none.
        route: The name of the desk's page about it, and what its address needs.
        likeness: What makes two items alike; empty: the title's code.
        count: How many single things it stands for.
        more: Further facts for the preview: (code of a label, value).
    """

    key: str
    title: str
    severity: str
    params: Mapping[str, str | int] = field(default_factory=dict)
    since: datetime | None = None
    organization_id: int | None = None
    tlp: str = "AMBER"
    reference: str = ""
    route: str = ""
    route_args: Mapping[str, str | int] = field(default_factory=dict)
    route_query: Mapping[str, str | int] = field(default_factory=dict)
    likeness: str = ""
    count: int = 1
    more: tuple[tuple[str, str], ...] = ()
