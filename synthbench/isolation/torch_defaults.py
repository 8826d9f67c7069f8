"""Torch's global switches at their defaults, for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch

from synthbench.isolation.float32_precision import default_float32_precision

AUTOCAST = {
    "cpu": torch.bfloat16,
    "cuda": torch.float16,
    "mps": torch.float16,
    "xpu": torch.float16,
}
"""Types of devices that have autocast, and to what it casts unless told otherwise."""


@contextmanager
def torch_defaults() -> Iterator[None]:
    """No autocast, float32, CPU, gradients recorded; afterwards everything is as it was.

    Costs nothing per operation, unless a default device has to be overruled.
    """
    with ExitStack() as stack:
        # Disabling inference mode enables gradients.
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.autograd.set_detect_anomaly(False))
        stack.callback(torch.set_default_dtype, torch.get_default_dtype())
        torch.set_default_dtype(torch.float32)
        if torch.empty(0).device.type != "cpu":
            stack.enter_context(torch.device("cpu"))
        stack.enter_context(_no_autocast())
        stack.enter_context(default_float32_precision())
        yield


@contextmanager
def _no_autocast() -> Iterator[None]:
    """Outside of every `torch.autocast`.

    In a nested one, even a disabled one, torch keeps the weights it has cast beyond the end of
    those within: it would go on with the weights of an earlier step.
    """
    before = {k: (torch.is_autocast_enabled(k), torch.get_autocast_dtype(k)) for k in AUTOCAST}
    cached, depth = torch.is_autocast_cache_enabled(), _autocast_depth()
    _set_autocast({kind: (False, dtype) for kind, dtype in AUTOCAST.items()}, cached=True)
    for _ in range(depth):
        torch.autocast_decrement_nesting()
    torch.clear_autocast_cache()
    try:
        yield
    finally:
        torch.clear_autocast_cache()
        for _ in range(depth):
            torch.autocast_increment_nesting()
        _set_autocast(before, cached)


def _set_autocast(states: dict[str, tuple[bool, torch.dtype]], cached: bool) -> None:
    for kind, (enabled, dtype) in states.items():
        torch.set_autocast_enabled(kind, enabled)
        torch.set_autocast_dtype(kind, dtype)
    torch.set_autocast_cache_enabled(cached)


def _autocast_depth() -> int:
    torch.autocast_increment_nesting()
    return torch.autocast_decrement_nesting()
