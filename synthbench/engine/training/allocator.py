"""Keeping freed memory in the process, where the C library can be told to.

Stacked activations are megabytes that are freed and allocated again at every step. glibc
returns such blocks to the kernel, which must clear every page of the next one: with that,
evaluating 128 replicas of a width-100 MLP took two to three times as long.
"""

from __future__ import annotations

import ctypes
import sys

M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3
KEPT_BYTES = 2**30


def keep_freed_memory() -> None:
    """Ask glibc to hold up to 1 GiB of freed memory; elsewhere, do nothing."""
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
        mallopt(M_MMAP_THRESHOLD, KEPT_BYTES)
