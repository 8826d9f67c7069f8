"""Random numbers of an optimizer's step: each replica's own, whatever the caller has seeded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from synthbench.engine.generators import generators_restored, seed_everything
from synthbench.streams import Purpose, Stream


class OptimizerDraws:
    """Seeds torch's, NumPy's and Python's generators for one replica and one step.

    Building is step 0. The seed is a word of the stream of (the replica's `train` seed,
    OPTIMIZER, step), so that a replica draws the same in any company, fresh or resumed.
    """

    def __init__(self, keys: Tensor, device: torch.device) -> None:
        """keys: (R, 2) int64 words of the replicas' `train` seeds; device: of the parameters."""
        self._keys, self._device = keys.cpu(), device

    def narrow(self, rows: Sequence[int]) -> None:
        """Go on with some of the replicas alone."""
        self._keys = self._keys[list(rows)]

    @contextmanager
    def at(self, step: int) -> Iterator[DrawsOfStep]:
        """Seeding is allowed inside; the generators are left as they were."""
        words = torch.vmap(lambda key: Stream(key, Purpose.OPTIMIZER, step).words(2))(self._keys)
        with generators_restored(self._device):
            yield DrawsOfStep([low | high << 32 for low, high in words.tolist()], self._device)


class DrawsOfStep:
    """The seeds of all replicas for one step."""

    def __init__(self, seeds: list[int], device: torch.device) -> None:
        self._seeds, self._device = seeds, device

    def seed(self, r: int) -> None:
        """Let the next draws be those of replica r."""
        seed_everything(self._seeds[r], self._device)
