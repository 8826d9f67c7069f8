"""Barriers between trained networks, before and after their neurons are matched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from synthbench import Measurement

if TYPE_CHECKING:
    from synthbench import Barrier, CellResult


STREAMS = 2
"""Streams of samples, on each of which every initialization is trained."""


class ModeConnectivity(Measurement):
    """Loss and error along the line between two networks that begin differently.

    Seed s is the pair of the initializations 2s and 2s + 1 of an MLP, trained on a sparse parity,
    each on samples of its own. Measured are `barrier`, the largest excess of the held-out loss
    above the chord between the two ends, and `error_barrier`, the same of the error; both again
    after the hidden neurons of the second network are permuted to match the first's
    (`aligned_barrier`, `aligned_error_barrier`); and the `accuracy` of the ends on average.
    """

    name: ClassVar[str] = "mode-connectivity"
    headline: ClassVar[tuple[str, ...]] = ("n", "k", "width")
    paper: ClassVar[str] = "Ainsworth et al. 2023, arXiv:2209.04836"

    n: int = Field(default=20, ge=1)
    """Number of coordinates."""
    k: int = Field(default=3, ge=1)
    """Number of coordinates in the support."""
    width: int = Field(default=32, ge=1)
    """Neurons in each hidden layer."""
    depth: int = Field(default=1, ge=1)
    """Number of hidden layers."""
    lr: float = Field(default=0.1, gt=0)
    """Learning rate of SGD, with batches of 32 and hinge loss."""
    budget: int = Field(default=96_000, ge=32)
    """Samples on which each network is trained."""
    points: int = Field(default=11, ge=3)
    """Of the line that are looked at, both ends among them."""

    def measure(self, seeds: Sequence[int]) -> Sequence[Mapping[str, float]]:
        """The pair of each seed; all networks are trained together."""
        # Here, so that it can be listed and described without torch.
        from synthbench import Protocol, Settings, Silent, evaluate

        initializations = 2 * max(seeds) + 2
        protocol = Protocol(
            seeds=STREAMS * initializations,
            initializations=initializations,
            budget=self.budget,
            until="budget",
            resolution=1.0,
        )
        settings = Settings(
            keep_weights=True, workers=0, compile="never", pictures=False, listener=Silent()
        )
        task = f"sparse-parity n={self.n} k={self.k}"
        model = f"mlp width={self.width} depth={self.depth} lr={self.lr!r}"
        with TemporaryDirectory() as folder:
            trained = evaluate(task, model, protocol=protocol, settings=settings, out=folder)
            return [self._pair(trained, seed) for seed in seeds]

    def _pair(self, trained: CellResult, seed: int) -> Mapping[str, float]:
        from synthbench import barrier

        # Replicas of one initialization lie side by side, a stream each.
        pair = (2 * seed * STREAMS, (2 * seed + 1) * STREAMS + 1)
        plain = barrier(trained, trained, pair, points=self.points)
        aligned = barrier(trained, trained, pair, points=self.points, aligned=True)
        return {
            "barrier": plain.height,
            "error_barrier": _error_height(plain),
            "aligned_barrier": aligned.height,
            "aligned_error_barrier": _error_height(aligned),
            "accuracy": (plain.scores[0] + plain.scores[-1]) / 2,
        }


def _error_height(barrier: Barrier) -> float:
    """The largest excess of the error above the chord between the ends."""
    first, last = barrier.scores[0], barrier.scores[-1]
    chord = [(1 - share) * first + share * last for share in barrier.shares]
    return max(line - score for line, score in zip(chord, barrier.scores, strict=True))
