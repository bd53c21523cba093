"""A query as text, for the row of a job, and back. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

from muhafiz.lake.query import EventQuery, Without

_MOMENTS = ("since", "until", "received_since", "received_until")


def written(query: EventQuery) -> str:
    """The query as JSON; the same query gives the same text."""
    return json.dumps(_plain(asdict(query)), sort_keys=True)


def read_query(text: str) -> EventQuery:
    """The query of a text that `written` gave.

    Raises:
        BadQuery: the values have no sense.
        ValueError, TypeError: the text is not one of ours.
    """
    found: dict[str, Any] = json.loads(text)
    for name in _MOMENTS:
        if found[name] is not None:
            found[name] = datetime.fromisoformat(found[name])
    if found["key_range"] is not None:
        found["key_range"] = tuple(found["key_range"])
    sets = {name: frozenset(value) for name, value in found.items() if isinstance(value, list)}
    left_out = found["without"]
    lists = {name: frozenset(v) for name, v in left_out.items() if isinstance(v, list)}
    return EventQuery(**{**found, **sets, "without": Without(**{**left_out, **lists})})


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, frozenset):
        return sorted(value)
    return value.isoformat() if isinstance(value, datetime) else value
