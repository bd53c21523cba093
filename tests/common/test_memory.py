"""Memory is held between batches and given back when there is nothing to do."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
from pathlib import Path
from muhafiz.common.memory import hold_memory, return_memory, settle_objects

def resident():
    return int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0]) // 1024

hold_memory()
import numpy as np
import pyarrow as pa
settle_objects()
lasting = resident()
batch = [np.ones(4_000_000), pa.array(np.arange(20_000_000)).cast(pa.float64())]
del batch
held = resident()
return_memory()
print(lasting, held, resident())
"""


def test_freed_memory_is_held_for_the_next_batch_and_given_back_at_rest():
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    lasting, held, rested = map(int, told.stdout.split())
    assert held - lasting > 100, "MiB that the next batch need not ask for"
    assert rested - lasting < 60
