"""Recognising that memory ran out, and giving back what nobody uses."""

from __future__ import annotations

import gc

import torch

SIGNS = ("can't allocate memory", "not enough memory", "out of memory", "ALLOC_FAILED")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception means that a tensor did not fit into memory, on CPU or GPU."""
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(sign in str(error) for sign in SIGNS)
    )


def free_gpu_memory() -> None:
    """Let go of what lies on a GPU in cycles of objects, such as Lightning's trainers are."""
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        gc.collect()
        torch.cuda.empty_cache()
