"""Which file a failed question failed by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from muhafiz.lake.engines import SegmentFile
from muhafiz.lake.refusals import SegmentUnreadable


def blame(files: Mapping[str, Sequence[SegmentFile]], wrong: Exception) -> None:
    """Name the file at fault, when one is.

    Raises:
        SegmentUnreadable: the first file that another reader cannot read either.
    """
    for file in (file for listed in files.values() for file in listed):
        try:
            with pq.ParquetFile(file.path) as opened:
                for group in range(opened.num_row_groups):
                    opened.read_row_group(group)
        except (OSError, pa.ArrowException) as found:
            reason = "the file is missing" if isinstance(found, FileNotFoundError) else str(found)
            raise SegmentUnreadable(segment=file.segment, path=file.path, reason=reason) from wrong
