"""Pointer value retrieval (Zhang et al. 2021)."""

from __future__ import annotations

from collections.abc import Mapping
from math import factorial
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, model_validator

from synthbench import (
    CLASS_LOSSES,
    Batch,
    ClassLogits,
    Interface,
    Loss,
    Mean,
    Preset,
    Task,
    TestSet,
    Tokens,
    accuracy,
)
from synthbench_pointers.digits import BASE, most_frequent_share

if TYPE_CHECKING:
    from torch import Tensor

    from synthbench import Stream


class PointerValue(Task):
    """The first digit points to a place; y = the sum mod 10 of the digits in a window from there.

    The window goes on at the first place after the last. The pointer and all digits are uniform,
    and nothing is hidden: the world is empty. With held_out = h, training never shows the first h
    permutations of 0, ..., complexity in the window that is pointed at, where all digits are
    raised by one (mod 10) instead; a second test set shows nothing else there.
    """

    name: ClassVar[str] = "pointer-value-retrieval"
    headline: ClassVar[tuple[str, ...]] = ("places", "complexity")
    paper: ClassVar[str] = "Zhang et al. 2021, arXiv:2107.12580"

    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            "places=5",
            model="transformer layers=2 heads=2 width=32 mlp=2 positions=absolute optimizer=adam "
            "lr=0.01 weight_decay=0 batch_size=64",
            budget=150_000,
            probes=("pointer-attention",),
            evaluation_samples=512,
        ),
        "zhang": Preset(
            "complexity=2 held_out=3",
            model="transformer layers=4 heads=8 width=512 mlp=4 positions=absolute optimizer=adam "
            "lr=0.0001 weight_decay=0 batch_size=1024",
            budget=100_000_000,
        ),
    }

    places: int = Field(default=10, ge=2, le=BASE)
    """Places that the pointer may name."""
    complexity: int = Field(default=0, ge=0)
    """Digits of the window beyond the one that is pointed at."""
    held_out: int = Field(default=0, ge=0)
    """Permutations of 0, ..., complexity that training never shows in the window."""

    @model_validator(mode="after")
    def _window_fits(self) -> PointerValue:
        if self.window >= self.places:
            raise ValueError(
                f"complexity must be below {self.places - 1}, so that the window is shorter than "
                f"places={self.places}; got {self.complexity}"
            )
        most = factorial(self.window) if self.complexity else 0
        if self.held_out > most:
            raise ValueError(
                f"complexity={self.complexity} has {most} permutations to hold out, "
                f"got held_out={self.held_out}"
            )
        return self

    @property
    def window(self) -> int:
        """Digits that are added up."""
        return self.complexity + 1

    @property
    def interface(self) -> Interface:
        """The pointer and the digits in, one of ten digits out."""
        return Interface(Tokens(BASE, 1 + self.places), ClassLogits(BASE))

    def world(self, rng: Stream) -> Tensor:
        """An empty tensor: nothing is hidden from one example to the next."""
        import torch

        return torch.zeros(0, device=rng.device)

    def sample(self, world: Tensor, rng: Stream, size: int) -> Batch:
        """Fresh examples: x (size, 1 + places), the pointer first, and y (size,)."""
        from synthbench_pointers.windows import draw, sums, without

        x = draw(rng, size, self.places)
        if self.held_out:
            x = without(x, self.window, self.held_out)
        return Batch(x, sums(x, x[:, :1], self.window))

    def test_sets(self) -> Mapping[str, TestSet]:
        """The trained distribution; the permutations that training never shows."""
        trained = {"trained": TestSet(sample=self.sample)}
        return trained | ({"held-out": TestSet(sample=self.unseen)} if self.held_out else {})

    def unseen(self, world: Tensor, rng: Stream, size: int) -> Batch:
        """Examples whose window holds a permutation that training never shows."""
        from synthbench_pointers.windows import draw, planted, sums

        x = planted(rng, draw(rng, size, self.places), self.window, self.held_out)
        return Batch(x, sums(x, x[:, :1], self.window))

    def losses(self) -> Mapping[str, Loss]:
        """Cross-entropy (the default) and square."""
        return CLASS_LOSSES

    def score(self, output: Tensor, batch: Batch) -> Mapping[str, Mean]:
        """Share of right answers."""
        return {"accuracy": accuracy(output, batch.y)}

    def references(self, world: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        """Uniform; the window at the first place; the most frequent window sum; the right one.

        Neither of the middle two reads the pointer.
        """
        from synthbench_pointers.windows import sum_counts, sums

        x, pointer = batch.x, batch.x[:, :1]
        counts = sum_counts(x, self.window)
        first, optimal = (digits(sums(x, at, self.window)) for at in (0 * pointer, pointer))
        return {
            "trivial": 0 * first,
            "first-place": first,
            "most-frequent": counts,
            "optimal": optimal,
        }

    def exact_scores(self) -> Mapping[str, float]:
        """Accuracy: two windows that differ have sums that are independent.

        What is held out leaves them a little uneven, so then only what does not depend on it.
        """
        exact = {"trivial": 1 / BASE, "optimal": 1.0}
        if self.held_out:
            return exact | {f"{name}@held-out": score for name, score in exact.items()}
        exact["first-place"] = (1 + (self.places - 1) / BASE) / self.places
        if self.window == 1:
            exact["most-frequent"] = most_frequent_share(self.places)
        return exact


def digits(values: Tensor) -> Tensor:
    """One-hot rows: (B,) -> (B, 10)."""
    import torch

    from synthbench import one_hot

    return one_hot(values, BASE, torch.float32)
