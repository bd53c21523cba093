"""How a process that works through large batches holds its memory, and when it gives it back.

A batch takes and frees the same hundreds of megabytes as the one before. Given back to the system
in between, every page is cleared anew: a twentieth of the time of the hot path.
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # mallopt(3)
_ARENA = 1 << 30
_PURGE_DELAY_MS = "10000"  # longer than a batch; never would keep it from being given back


def hold_memory() -> None:
    """Let the allocators keep freed memory for the next batch. Call before Arrow is loaded."""
    os.environ.setdefault("MIMALLOC_PURGE_DELAY", _PURGE_DELAY_MS)  # read as Arrow loads
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # the C library is glibc
        mallopt(_MMAP_THRESHOLD, _ARENA)
        mallopt(_TRIM_THRESHOLD, _ARENA)


def settle_objects() -> None:
    """Take what is loaded for lasting: the garbage collector need not walk it again."""
    gc.collect()
    gc.freeze()


def return_memory() -> None:
    """Give unused memory back to the system: there is nothing to do for a while."""
    gc.collect()
    arrow = sys.modules.get("pyarrow")
    if arrow is not None:
        arrow.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
