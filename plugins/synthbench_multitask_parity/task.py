"""Multitask sparse parity (Michaud et al. 2023, "The Quantization Model of Neural Scaling")."""

from __future__ import annotations

from collections.abc import Mapping
from math import comb
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
    Reals,
    Task,
    TestSet,
)
from synthbench_multitask_parity.frequencies import (
    accuracy_of_most_frequent,
    frequencies,
    stages,
)

if TYPE_CHECKING:
    from torch import Tensor

    from synthbench import Stream

World = tuple["Tensor", "Tensor"]
"""Supports of the subtasks (tasks, k), and the bits that all are tested on (tests, n)."""


class MultitaskParity(Task):
    """y = the parity of k hidden bits out of n; which k, a one-hot code in front of them says.

    Subtask i is asked with a probability proportional to i^-(1 + exponent). Each is learned at a
    time of its own, the frequent ones first; what is left of the error then falls as a power of
    the samples, exponent / (1 + exponent) by the paper's argument (section 2). Supports differ.
    """

    name: ClassVar[str] = "multitask-parity"
    headline: ClassVar[tuple[str, ...]] = ("tasks", "n", "k")
    paper: ClassVar[str] = "Michaud et al. 2023, arXiv:2303.13506"
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            "tasks=32 n=16 k=2",
            model="mlp optimizer=adam lr=0.003 batch_size=128",
            budget=1_000_000,
        ),
        "michaud": Preset(
            "tasks=500 n=100 k=3 exponent=0.4",
            model="mlp width=500 optimizer=adamw lr=0.001 weight_decay=0 batch_size=20000",
            budget=4_000_000_000,
        ),
    }

    tasks: int = Field(default=500, ge=2)
    """Number of subtasks, which is that of control bits."""
    n: int = Field(default=100, ge=1)
    """Number of data bits."""
    k: int = Field(default=3, ge=1)
    """Number of data bits in the support of a subtask."""
    exponent: float = Field(default=0.4, ge=0)
    """a in the frequencies i^-(1 + a)."""
    tests: int = Field(default=32, ge=1)
    """Examples of each subtask in the test set, the same random data bits for all of them."""
    solved_from: float = Field(default=0.9, gt=0.5, le=1)
    """Accuracy from which a subtask counts as solved."""

    @model_validator(mode="after")
    def _supports_fit(self) -> MultitaskParity:
        if self.k > self.n:
            raise ValueError(f"k must be at most n={self.n}, got {self.k}")
        if self.tasks > (subsets := comb(self.n, self.k)):
            raise ValueError(f"tasks must be at most C(n, k) = {subsets}, got {self.tasks}")
        return self

    @property
    def interface(self) -> Interface:
        """Control and data bits in, 0 and 1; logits of an even and of an odd number of ones out."""
        return Interface(Reals(self.tasks + self.n), ClassLogits(2))

    def world(self, rng: Stream) -> World:
        """The support of every subtask, and the data bits of the test set."""
        from synthbench_multitask_parity.supports import distinct_subsets

        supports = distinct_subsets(rng, self.n, self.k, self.tasks)
        return supports, rng.bits((self.tests, self.n))

    def sample(self, world: World, rng: Stream, size: int) -> Batch:
        """Fresh samples: x (size, tasks + n), y (size,); latents: `subtask`, `weight`."""
        import torch

        shares = torch.tensor(frequencies(self.tasks, self.exponent), dtype=torch.float64)
        subtask = rng.categorical(shares.to(rng.device), (size,))
        return self._examples(world[0], subtask, rng.bits((size, self.n)))

    def test_sets(self) -> Mapping[str, TestSet]:
        """One: as many examples of every subtask, in the weights of their frequencies."""
        return {"": TestSet(whole=self._every_subtask)}

    def losses(self) -> Mapping[str, Loss]:
        """Cross-entropy (the default) and square."""
        return CLASS_LOSSES

    def score(self, output: Tensor, batch: Batch) -> Mapping[str, Mean]:
        """Accuracy over the distribution of subtasks, and of each: a curve, most frequent first."""
        from synthbench_multitask_parity.scoring import accuracies

        overall, by_subtask = accuracies(output, batch, self.tasks)
        return {"accuracy": overall, "by-subtask": by_subtask}

    def aggregate(self, scores: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Both, and the share of the subtasks that are solved."""
        accuracy = scores["accuracy"]
        solved = (scores["by-subtask"] >= self.solved_from).to(accuracy.dtype).mean(dim=-1)
        return {**scores, "solved": solved}

    def references(self, world: World, batch: Batch) -> Mapping[str, Tensor]:
        """A coin for all subtasks; for all but the 1, 10, 100, ... most frequent; for none."""
        from synthbench import one_hot

        control, bits = batch.x[:, : self.tasks], batch.x[:, self.tasks :]
        subtask = control.argmax(dim=1)
        parity = bits.gather(1, world[0][subtask]).sum(dim=1).long() % 2
        right = one_hot(parity, 2, batch.x.dtype)
        found = {"trivial": right * 0}
        for solved in stages(self.tasks):
            found[f"first-{solved}"] = right * (subtask < solved)[:, None]
        return {**found, "optimal": right}

    def exact_scores(self) -> Mapping[str, float]:
        """(1 + sum over the solved subtasks of p_i) / 2."""
        found = {"trivial": 0.5}
        for solved in stages(self.tasks):
            worth = accuracy_of_most_frequent(self.tasks, self.exponent, solved)
            found[f"first-{solved}"] = worth
        return {**found, "optimal": 1.0}

    def _every_subtask(self, world: World) -> Batch:
        import torch

        supports, bits = world
        subtask = torch.arange(self.tasks, device=bits.device).repeat_interleave(self.tests)
        shares = torch.tensor(frequencies(self.tasks, self.exponent), device=bits.device)
        weight = (self.tasks * shares)[subtask]
        return self._examples(supports, subtask, bits.repeat(self.tasks, 1), weight)

    def _examples(
        self, supports: Tensor, subtask: Tensor, bits: Tensor, weight: Tensor | None = None
    ) -> Batch:
        import torch

        from synthbench import one_hot

        control = one_hot(subtask, self.tasks, torch.float32)
        x = torch.cat([control, bits.to(control.dtype)], dim=1)
        y = bits.gather(1, supports[subtask]).sum(dim=1) % 2
        weight = torch.ones_like(x[:, 0]) if weight is None else weight
        return Batch(x, y, {"subtask": subtask, "weight": weight})
