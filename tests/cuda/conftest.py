"""A GPU for these tests, left as it was found."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(autouse=True)
def gpu() -> Iterator[torch.device]:
    """The GPU; skips where there is none, and frees what a test leaves."""
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA GPU, which torch does not find here")
    yield torch.device("cuda")
    torch.cuda.set_sync_debug_mode("default")
    torch.cuda.set_per_process_memory_fraction(1.0)
    gc.collect()
    torch.cuda.empty_cache()
