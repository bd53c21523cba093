"""A lake of one test."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from muhafiz.lake.actions.append import append_batch
from muhafiz.lake.answers import Appended
from tests.lake.rows import accepted


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


@pytest.fixture
def lake(db, folders, actor, now) -> Lake:
    return Lake(actor, now)
