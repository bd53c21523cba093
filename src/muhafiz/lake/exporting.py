"""Writing an export's file: block after block, what is TLP:RED left out and counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from muhafiz.formats import tlp
from muhafiz.lake.actions.exports import Commission
from muhafiz.lake.blocks import scan_blocks
from muhafiz.lake.export_files import ExportFile, Finished

BLOCK_ROWS = 50_000
_SECONDS = 120.0  # of one block; nobody waits at a screen


@dataclass
class Taken:
    """What went into the file, and what did not."""

    rows: int = 0
    left_out: int = 0
    labels: set[str] = field(default_factory=set)
    organizations: set[int] = field(default_factory=set)

    @property
    def tlp(self) -> str:
        """The strictest label in the file; empty when nothing is in it."""
        return tlp.strictest(self.labels) if self.labels else ""


def write_commission(
    wanted: Commission, *, progress: Callable[[int], object]
) -> tuple[Finished, Taken]:
    """The whole file and what is in it; `progress` is told the rows after each block.

    Raises:
        DiskNearlyFull, QueryTooSlow, QueryTooBig, LakeBusy, SegmentUnreadable: nothing is left.
    """
    taken = Taken()
    with ExportFile(wanted.format, wanted.columns) as file:
        for block in scan_blocks(wanted.query, BLOCK_ROWS, seconds=_SECONDS):
            leaving = _leaving(block, taken)
            if leaving.num_rows:
                file.write(leaving)
            progress(taken.rows)
        return file.finish(), taken


def _leaving(block: pa.Table, taken: Taken) -> pa.Table:
    """The rows that may leave; `taken` is told of all."""
    labels: Any = pc.unique(block["tlp"]).to_pylist()
    free = [label for label in labels if label is not None and tlp.parse(label) != tlp.RED]
    if len(free) == len(labels):
        kept = block
    else:
        kept = block.filter(pc.is_in(block["tlp"], value_set=pa.array(free, pa.string())))
    taken.rows += kept.num_rows
    taken.left_out += block.num_rows - kept.num_rows
    taken.labels.update(tlp.parse(label) for label in free)
    owners = pc.unique(kept["organization_id"]).to_pylist()
    taken.organizations.update(number for number in owners if number is not None)
    return kept
