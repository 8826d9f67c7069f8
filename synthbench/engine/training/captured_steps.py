"""Optimizer steps of a stack in runs of a few lengths, each captured once and replayed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from synthbench.contracts.batch import Batch
from synthbench.engine.data.sampling import as_batch, batch_at
from synthbench.engine.training.cuda_graphs import Capture, Places, Work, places
from synthbench.engine.training.step import Step, Trained

LENGTHS = (16, 4, 1)
"""Of runs, in steps. At 16 a launch costs less than 2% of what the kernels of the smallest networks
take; longer ones take longer to capture, as many kernels as they hold."""
Inputs = Callable[[range], tuple[Batch, Tensor]]
"""Steps -> their batches (K, R, ...) and the keys (K, R) of their noise."""


def runs_of(steps: range, window: int, lengths: Sequence[int] = LENGTHS) -> Iterator[range]:
    """The steps in runs of these lengths, the longest first, none across the end of a window.

    lengths: falling, the last of them 1; windows begin at multiples of `window`.
    """
    at = steps.start
    while at < steps.stop:
        left = min(steps.stop - at, window - at % window)
        length = next(length for length in lengths if length <= left)
        yield range(at, at + length)
        at += length


class CapturedSteps:
    """Runs steps from buffers that stay where they are, so that each length is captured once.

    Parameters, moments and buffers are changed in place, as by the step itself.
    """

    def __init__(self, step: Step, capture: Capture, window: int) -> None:
        """window: steps whose data are drawn at once."""
        self._step, self._capture, self._window = step, capture, window
        self._trained_at: Places = ()
        self._found: dict[int, Work] = {}
        self._buffers: Any = None
        self._warm = False

    def run(
        self, steps: range, trained: Trained, rates: Tensor, losses: Tensor, inputs: Inputs
    ) -> Tensor:
        """Run the steps; returns the sum of losses (R,) with theirs added.

        rates: (K, C, R) of these steps.
        """
        self._begin(trained, losses)
        for run in runs_of(steps, self._window):
            of_run = slice(run.start - steps.start, run.stop - steps.start)
            given = (*inputs(run), rates[of_run])
            self._take(given)
            self._work(len(run))()
        return self._losses.clone()

    def _begin(self, trained: Trained, losses: Tensor) -> None:
        now = places(vars(trained))
        if now != self._trained_at:
            self._trained, self._trained_at = trained, now
            self._losses = torch.empty_like(losses)
            self._found, self._buffers, self._warm = {}, None, False
        self._losses.copy_(losses)

    def _take(self, given: Any) -> None:
        """Copy batches, noise and rates of a run to where its graph reads them."""
        if self._buffers is None:
            longest = max(length for length in LENGTHS if length <= self._window)
            self._buffers = tree_map(lambda leaf: leaf.new_empty((longest, *leaf.shape[1:])), given)
        tree_map(lambda buffer, leaf: buffer[: len(leaf)].copy_(leaf), self._buffers, given)

    def _work(self, length: int) -> Work:
        """What runs the first `length` steps of the buffers."""

        def work() -> None:
            batches, noise, rates = self._buffers
            for index in range(length):
                batch = batch_at(as_batch(batches), index)
                self._losses.add_(self._step(self._trained, batch, noise[index], rates[index]))

        if not self._warm:
            # The first run records the step and sets up libraries.
            self._warm = True
            return work
        if length not in self._found:
            self._found[length] = self._capture(work)
        return self._found[length]
