"""The random generators that all code of a process shares: torch's, NumPy's and Python's."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch


@dataclass(frozen=True)
class GlobalRandomState:
    """The global generators of torch (on CPU), numpy and Python at one moment."""

    torch_state: torch.Tensor
    numpy_state: Any
    python_state: Any

    @classmethod
    def now(cls) -> GlobalRandomState:
        """The present state."""
        return cls(torch.random.get_rng_state(), np.random.get_state(), random.getstate())

    def restore(self) -> None:
        """Make it the present state again."""
        torch.random.set_rng_state(self.torch_state)
        np.random.set_state(self.numpy_state)
        random.setstate(self.python_state)

    def moved(self) -> list[str]:
        """The generators that something has drawn from, or seeded, since."""
        now = GlobalRandomState.now()
        same = {
            "torch": torch.equal(self.torch_state, now.torch_state),
            "numpy.random": all(
                np.array_equal(a, b) for a, b in zip(self.numpy_state, now.numpy_state, strict=True)
            ),
            "random": self.python_state == now.python_state,
        }
        return [name for name, is_same in same.items() if not is_same]


def seed_everything(seed: int, device: torch.device | None = None) -> None:
    """Seed the three global generators, and that of a GPU.

    seed: in [0, 2^64), of which NumPy takes the low half.
    """
    torch.default_generator.manual_seed(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)
    if device is not None and device.type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.manual_seed(seed)


@contextmanager
def generators_restored(device: torch.device | None = None) -> Iterator[None]:
    """Leave the global generators, and that of a GPU, as they were."""
    state = GlobalRandomState.now()
    gpus = [device] if device is not None and device.type == "cuda" else []
    with torch.random.fork_rng(gpus):
        try:
            yield
        finally:
            state.restore()
