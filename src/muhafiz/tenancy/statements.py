"""Only statements that read get through to a tenant's connection."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from muhafiz.tenancy.current import NotAllowedToConstituents

# SAVEPOINT, RELEASE and ROLLBACK TO are Django's own, of `atomic(using="portal")`.
_READING = re.compile(
    r"[\s(]*(?:SELECT|WITH|VALUES|SAVEPOINT|RELEASE|ROLLBACK TO|DECLARE)\b", re.IGNORECASE
)


def only_reading(
    execute: Callable[..., Any],
    sql: Any,
    params: Any,
    many: bool,  # noqa: FBT001 - Django's signature
    context: Any,
) -> Any:
    """Let a statement through that begins as a reading one (the database refuses the rest anyway).

    EXPLAIN is not among them: it would name what the shadows stand on.

    Raises:
        NotAllowedToConstituents: it does anything else.
    """
    if many or not _READING.match(str(sql)):
        raise NotAllowedToConstituents
    return execute(sql, params, many, context)
