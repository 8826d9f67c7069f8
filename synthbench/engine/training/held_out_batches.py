"""The batches of one test set during a training: drawn once, or anew where they are large."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from synthbench.contracts.batch import Batch, World
from synthbench.engine.data.held_out import HeldOut
from synthbench.engine.data.sampling import batch_bytes, cast_batch
from synthbench.plan.protocol import Protocol

CACHE_BYTES = 512 * 2**20
"""Test sets up to this size, all together, are kept; larger ones are drawn again each time."""


class HeldOutBatches:
    """The same examples at every evaluation: leaves (R, B, ...)."""

    def __init__(
        self, held_out: HeldOut, protocol: Protocol, worlds: World, keys: Tensor, dtype: torch.dtype
    ) -> None:
        """worlds: of the R replicas; keys: (R, 2) words of their `eval` seeds.

        dtype: of the floating-point numbers.
        """
        self.held_out, self._protocol = held_out, protocol
        self._worlds, self._keys, self._dtype = worlds, keys, dtype
        self._kept: list[Batch] | None = None

    def keep(self, room: int) -> None:
        """Draw all batches now and keep them, if they take no more than `room` bytes."""
        batches: list[Batch] = []
        for batch in self._draw():
            batches.append(batch)
            if batch_bytes(batches) > room:
                return
        self._kept = batches

    @property
    def first(self) -> Batch:
        """The first batch."""
        return next(iter(self))

    def __iter__(self) -> Iterator[Batch]:
        """All batches."""
        return self._draw() if self._kept is None else iter(self._kept)

    def _draw(self) -> Iterator[Batch]:
        # Under autocast a task's own arithmetic would be rounded.
        kind = self._keys.device.type
        batches = self.held_out.batches(self._worlds, self._keys, self._protocol)
        while True:
            with torch.autocast(kind, enabled=False):
                batch = next(batches, None)
            if batch is None:
                return
            yield cast_batch(batch, self._dtype)
