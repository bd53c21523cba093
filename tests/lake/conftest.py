"""A lake of one test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from muhafiz.lake.actions.append import append_batch
from muhafiz.lake.answers import Appended
from muhafiz.lake.engines import Engine
from muhafiz.lake.engines.choice import chosen
from tests.lake.rows import accepted
from tests.lake.servers import sail_server


@dataclass
class Lake:
    """Appends each call as a report of its own."""

    actor: Any
    now: datetime
    reports: int = field(default=0)

    def append(self, rows: list[dict[str, Any]]) -> Appended:
        self.reports += 1
        return append_batch(
            accepted(rows, report_id=self.reports),
            report_id=self.reports,
            batch_number=0,
            actor=self.actor,
            now=self.now,
        )


@pytest.fixture(scope="session")
def sail() -> Iterator[str]:
    """Where a Spark Connect server of this run's own answers."""
    with sail_server() as remote:
        yield remote
        from muhafiz.lake.engines import spark

        spark.disconnect(remote)


@pytest.fixture(params=["duckdb", "spark"])
def engine(request, settings) -> Engine:
    """Every engine in turn: what is asked of one is asked of the other."""
    settings.SPARK_REMOTE = request.getfixturevalue("sail") if request.param == "spark" else ""
    return chosen()


@pytest.fixture
def lake(db, folders, actor, now) -> Lake:
    return Lake(actor, now)
