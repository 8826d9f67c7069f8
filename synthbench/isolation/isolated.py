"""The one context in which networks are built and run."""

from __future__ import annotations

import os
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_turn = threading.RLock()
ABOUT_TORCH = ("There is a performance drop because", "Lazy modules are a new feature")
"""How warnings begin that say something of torch, and nothing that its user can mend."""


@contextmanager
def isolated() -> Iterator[None]:
    """One thread at a time, with torch's switches at their defaults; also as a decorator.

    Entered at the public functions that build or run networks; may be nested. Torch's default
    type, its generator and its tracer belong to the whole process, so other threads wait. Its
    warnings that batching is slow, or lazy modules new, are not shown. On the way out, errors
    too, the caller's switches are as they were. What is not switched back is listed by
    `changed_settings`.
    """
    # Here, so that reading results does not wait for torch.
    from synthbench.isolation.torch_defaults import torch_defaults

    with _turn, torch_defaults(), warnings.catch_warnings():
        for beginning in ABOUT_TORCH:
            warnings.filterwarnings("ignore", beginning)
        yield


def _renew() -> None:
    """A forked process has no other threads: nobody there would ever end the turn."""
    global _turn
    _turn = threading.RLock()


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_renew)
