"""Which items of the queue: a value that a page, a count and a bulk act all read alike. Pure."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Final, Literal

Order = Literal["target", "-target", "severity", "-severity", "age", "-age", "number", "-number"]
ORDERS: Final[tuple[Order, ...]] = (
    "target", "-target", "severity", "-severity", "age", "-age", "number", "-number",
)  # fmt: skip

#: States that a filter can ask for; "open" is all but closed.
ASKED_STATES: Final = ("open", "new", "taken", "waiting", "closed")
#: Owners that a filter can ask for besides a person's number.
ASKED_OWNERS: Final = ("me", "nobody", "me-or-nobody")


@dataclass(frozen=True, slots=True)
class Filter:
    """All parts must hold; an empty one holds always. `owner`: one of the words, or a number."""

    state: str = "open"
    kind: str = ""
    severity: str = ""  # at least this one
    sector: str = ""
    organization: int | None = None
    owner: str = ""
    tlp: str = ""
    overdue: bool = False
    like: str = ""
    text: str = ""

    def without(self, name: str) -> Filter:
        """The filter with one part taken out; of the state, "open" remains."""
        return replace(self, **_EMPTY[name])

    def parts(self) -> dict[str, str]:
        """The parts that ask for something, as an address line writes them."""
        told = {one.name: getattr(self, one.name) for one in fields(self)}
        return {
            name: "yes" if value is True else str(value)
            for name, value in told.items()
            if value not in {"", None, False}
        }


_EMPTY: Final[dict[str, dict[str, Any]]] = {
    one.name: {one.name: one.default} for one in fields(Filter)
}

#: The queue's own views, in the order of the tabs. The first is where a day begins.
TABS: Final = {
    "mine": Filter(owner="me-or-nobody"),
    "overdue": Filter(overdue=True),
    "waiting": Filter(state="waiting"),
    "open": Filter(),
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """These items, each with the version that was shown (None: not told)."""

    items: tuple[tuple[int, int | None], ...]


@dataclass(frozen=True, slots=True)
class AllMatching:
    """All that match a filter and had come by the sweep `arrival`: what came later stays out."""

    filter: Filter
    arrival: int


Selection = Chosen | AllMatching
