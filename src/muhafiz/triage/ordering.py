"""The orders of the queue, and the pages of each by key: a page begins after a row, not a number.

Items without a clock come last. Rows of one value stand in the order of their ids, so that every
row has one place and paging neither repeats nor leaves out any.
"""

from __future__ import annotations

from typing import Any

from django.db.models import F, Q
from django.db.models.expressions import OrderBy

from muhafiz.triage.filters import Order
from muhafiz.triage.models import Item

#: order → its columns, each with whether it falls; the id follows, rising.
_COLUMNS: dict[str, tuple[tuple[str, bool], ...]] = {
    "target": (("due_at", False),),
    "-target": (("due_at", True),),
    "severity": (("rank", False), ("due_at", False)),
    "-severity": (("rank", True), ("due_at", False)),
    "age": (("since", True),),
    "-age": (("since", False),),
    "number": (("pk", False),),
    "-number": (("pk", True),),
}


def _columns(order: Order) -> tuple[tuple[str, bool], ...]:
    columns = _COLUMNS[order]
    return columns if columns[-1][0] == "pk" else (*columns, ("pk", False))


def ordered(order: Order, *, back: bool = False) -> list[OrderBy]:
    """What `order_by` takes; `back`: from the end, for the page before."""
    told = []
    for name, falls in _columns(order):
        column, down = F(name), falls != back
        ends = {} if name != "due_at" else {"nulls_first": True} if back else {"nulls_last": True}
        told.append(column.desc(**ends) if down else column.asc(**ends))
    return told


def beyond(order: Order, mark: Item, *, back: bool = False) -> Q:
    """The rows that follow `mark` in this order, or with `back` those that lead up to it."""
    found, level = Q(pk__in=[]), Q()
    for name, falls in _columns(order):
        value = getattr(mark, name)
        found |= level & _after(name, value, down=falls != back, back=back)
        level &= Q(**{f"{name}__isnull": True}) if value is None else Q(**{name: value})
    return found


def _after(name: str, value: Any, *, down: bool, back: bool) -> Q:
    """Rows whose column lies beyond `value`; NULL is the last value going on, the first back."""
    if value is None:
        return Q(**{f"{name}__isnull": False}) if back else Q(pk__in=[])
    further = Q(**{f"{name}__{'lt' if down else 'gt'}": value})
    return further if back or name != "due_at" else further | Q(**{f"{name}__isnull": True})
