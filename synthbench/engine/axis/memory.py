"""Recognising that memory ran out, and giving back what nobody uses."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch

from synthbench.errors import ModelError

T = TypeVar("T")
SIGNS = ("can't allocate memory", "not enough memory", "out of memory", "ALLOC_FAILED")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception means that a tensor did not fit into memory, on CPU or GPU."""
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(sign in str(error) for sign in SIGNS)
    )


def does_not_fit(model: str) -> ModelError:
    """The error where memory is too small for the narrowest stack; model: its label."""
    return ModelError(
        f'two replicas of "{model}" do not fit into memory; take a smaller model or batch_size'
    )


@contextmanager
def memory_errors(model: str) -> Iterator[None]:
    """Out of memory inside is the ModelError of `does_not_fit`."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise does_not_fit(model) from None


def with_less_memory(train: Callable[[int], T], widest: int, narrowest: int) -> T:
    """Train, and again with half of the replicas at once where memory ran out.

    train: of the number of replicas at once. Raises what it raises with the fewest.
    """
    while True:
        try:
            return train(widest)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error) or widest <= narrowest:
                raise
        gc.collect()
        widest = max(widest // 2, narrowest)


def free_gpu_memory() -> None:
    """Let go of what lies on a GPU in cycles of objects, such as Lightning's trainers are."""
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        gc.collect()
        torch.cuda.empty_cache()
