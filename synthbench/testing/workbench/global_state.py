"""Random generators and settings that all code of a process shares."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from synthbench.engine.axis.randomness.generators import generators_kept


@contextmanager
def preserved() -> Iterator[None]:
    """Leave the global generators, the default type and the grad mode as they were."""
    kind, grad = torch.get_default_dtype(), torch.is_grad_enabled()
    try:
        with generators_kept():
            yield
    finally:
        torch.set_default_dtype(kind)
        torch.set_grad_enabled(grad)
