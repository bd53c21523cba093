"""The port of the query engine: one contract, several engines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa
from sqlglot import exp


@dataclass(frozen=True, slots=True)
class SegmentFile:
    """One Parquet file and the number of its row in the catalogue."""

    segment: int
    path: Path


class Engine(Protocol):
    """Runs a relational question over segment files."""

    dialect: str  # sqlglot's name of the SQL it speaks

    def run(
        self,
        question: exp.Expr,
        files: Mapping[str, Sequence[SegmentFile]],
        tables: Mapping[str, pa.Table],
        *,
        seconds: float,
    ) -> pa.Table:
        """The answer to `question`, whose tables are named in `files` or `tables`.

        Raises:
            SegmentUnreadable: a file is missing or damaged.
            QueryTooSlow: `seconds` passed.
            QueryTooBig: the engine's memory did not suffice.
        """
        ...
