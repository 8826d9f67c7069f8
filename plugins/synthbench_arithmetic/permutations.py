"""Composition of permutations with held-out pairs (Power et al. 2022)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations
from math import factorial
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from synthbench import Batch, Preset
from synthbench_arithmetic.baselines import POWER, QUADRATIC
from synthbench_arithmetic.table_task import TableTask

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from synthbench_arithmetic.table_task import World

PARTITIONS = {3: 3, 4: 5, 5: 7}
"""Cycle types, which are the conjugacy classes, of the permutations of n points."""


class PermutationComposition(TableTask):
    """z = x y, x y x^-1 or x y x, for all pairs of permutations of a few points.

    A share of the pairs is trained on, all others are held out. A permutation is one token, its
    number in lexicographic order; (x y)(i) = x(y(i)). The groups do not commute.
    """

    name: ClassVar[str] = "permutation-composition"
    headline: ClassVar[tuple[str, ...]] = ("points", "operation", "share")
    paper: ClassVar[str] = "Power et al. 2022, arXiv:2201.02177"
    presets: ClassVar[Mapping[str, Preset]] = {
        # 800 steps on 403 pairs.
        "small": Preset("points=4 share=0.7", f"{QUADRATIC} width=256", 322_400),
        # 10^5 steps of 512 pairs.
        "power": Preset("points=5 share=0.5", f"{POWER} weight_decay=1", 51_200_000),
    }

    points: int = Field(default=5, ge=3, le=5)
    """What is permuted; 5 points have 120 permutations and 14,400 pairs."""
    operation: Literal["xy", "xyx^-1", "xyx"] = "xy"
    """What is composed."""

    @property
    def elements(self) -> int:
        """n! permutations."""
        return factorial(self.points)

    @property
    def pairs(self) -> int:
        """All (n!)^2 of them."""
        return self.elements**2

    def answers(self) -> NDArray[np.int64]:
        """The number of the permutation composed of x and y: (n!, n!)."""
        import numpy as np

        product = self._products()
        each = np.arange(self.elements)
        if self.operation == "xy":
            return product
        last = product.argmin(axis=1) if self.operation == "xyx^-1" else each
        return product[product, last[:, None]]

    def _products(self) -> NDArray[np.int64]:
        """x y by their numbers: (n!, n!); the identity is number 0."""
        import numpy as np

        each = np.array(list(permutations(range(self.points))))
        composed = each[np.arange(len(each))[:, None, None], each[None]]
        # Read as digits, permutations are in ascending order.
        digits = self.points ** np.arange(self.points)[::-1]
        return np.searchsorted(each @ digits, composed @ digits).astype(np.int64)

    def shortcuts(self, world: World, batch: Batch, answer: Tensor) -> Mapping[str, Tensor]:
        """Any permutation of the right sign; for x y x^-1, any of the cycle type of y."""
        import torch

        types = [cycle_type(each) for each in permutations(range(self.points))]
        kinds = sorted(set(types))
        number = torch.tensor([kinds.index(each) for each in types], device=answer.device)
        sign = torch.tensor([sum(each) - len(each) for each in types], device=answer.device) % 2
        found = {"sign": sign == sign[answer][:, None]}
        if self.operation == "xyx^-1":
            found["cycle-type"] = number == number[answer][:, None]
        return found

    def exact_scores(self) -> Mapping[str, float]:
        """Accuracy; of the cycle type in the mean over splits.

        Half of all permutations have either sign. A class of size c holds the answer of a share
        c / n! of the pairs and is hit in 1 of c, so every class adds 1 / n!.
        """
        scores = {"trivial": 1 / self.elements, "sign": 2 / self.elements}
        if self.operation == "xyx^-1":
            scores["cycle-type"] = PARTITIONS[self.points] / self.elements
        return {**scores, "optimal": 1.0}


def cycle_type(permutation: tuple[int, ...]) -> tuple[int, ...]:
    """Lengths of the cycles, ascending: (1, 0, 2) -> (1, 2)."""
    lengths, left = [], set(range(len(permutation)))
    while left:
        at, length = min(left), 0
        while at in left:
            left.remove(at)
            at, length = permutation[at], length + 1
        lengths.append(length)
    return tuple(sorted(lengths))
