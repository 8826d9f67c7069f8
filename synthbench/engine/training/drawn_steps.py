"""The batches and the noise of training, drawn for many steps at once."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.utils._pytree import tree_map

from synthbench.contracts.batch import Batch
from synthbench.engine.data.sampling import as_batch, batch_at


class DrawnSteps:
    """What steps take, as functions of the step; a window of steps is drawn and kept.

    Evaluation points lie close together at the start, where intervals of a step or two would
    otherwise each pay for a call.
    """

    def __init__(
        self, draw: Callable[[range], Batch], noise: Callable[[range], Tensor], length: int
    ) -> None:
        """draw, noise: leaves (K, R, ...) of K steps; length: of a window."""
        self._draw, self._noise, self._length = draw, noise, length
        self._window = range(0)

    @property
    def length(self) -> int:
        """Of a window; they begin at its multiples."""
        return self._length

    def at(self, step: int) -> tuple[Batch, Tensor]:
        """The batch (R, B, ...) of a step and the keys (R,) of its noise."""
        self._open(step)
        index = step - self._window.start
        return batch_at(self._batches, index), self._keys[index]

    def between(self, steps: range) -> tuple[Batch, Tensor]:
        """The batches (K, R, B, ...) of steps in one window and the keys (K, R) of their noise."""
        self._open(steps.start)
        inside = slice(steps.start - self._window.start, steps.stop - self._window.start)
        return as_batch(tree_map(lambda leaf: leaf[inside], self._batches)), self._keys[inside]

    def _open(self, step: int) -> None:
        """Draw the window of a step, if it is not there."""
        if step not in self._window:
            first = step - step % self._length
            self._window = range(first, first + self._length)
            self._batches, self._keys = self._draw(self._window), self._noise(self._window)
