"""What all tasks of this plugin share: a table of answers, a share of which is trained on."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import Field, model_validator

from synthbench import (
    CLASS_LOSSES,
    Batch,
    ClassLogits,
    Interface,
    Loss,
    Mean,
    Task,
    TestSet,
    Tokens,
    accuracy,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from synthbench import Stream

    World = tuple[Tensor, Tensor]
    """Row numbers of the pairs that are trained on, and of all others."""

CERTAIN = 30.0
"""Logit of a strategy's answers above all others: a cross-entropy below 1e-10 where it is right."""


class TableTask(Task):
    """Fill in the table of a binary operation, of which a share of the cells is given.

    Which pairs are trained on is drawn for every replica; the test set is all others, and is
    scored whole. The usual recipe is batch_size=full.
    """

    share: float = Field(default=0.5, gt=0, lt=1)
    """Share of the pairs that is trained on."""
    operator: bool = False
    """Whether a token for the operation stands between a and b, as in Power et al. 2022."""
    equals: bool = False
    """Whether a token = follows b; sequence models have a read-out token in its place anyway."""

    @model_validator(mode="after")
    def _both_sides_have_pairs(self) -> TableTask:
        if not 0 < self.trained < self.pairs:
            raise ValueError(
                f"share={self.share} leaves nothing on one side of the {self.pairs} pairs"
            )
        return self

    @property
    @abstractmethod
    def elements(self) -> int:
        """Number of symbols to combine, which is the number of answers too."""

    @property
    @abstractmethod
    def pairs(self) -> int:
        """Number of pairs that have an answer."""

    @abstractmethod
    def answers(self) -> NDArray[np.int64]:
        """The table: (elements, elements), the answer to a and b; -1 where there is none."""

    @abstractmethod
    def shortcuts(self, world: World, batch: Batch, answer: Tensor) -> Mapping[str, Tensor]:
        """Which answers each partial strategy leaves open, by name: (B, elements) bool.

        answer: (B,) of the whole batch, for strategies that know a part of it.
        """

    @property
    def trained(self) -> int:
        """Number of pairs that are trained on."""
        return round(self.share * self.pairs)

    @property
    def interface(self) -> Interface:
        """Tokens a, b and what else is written; one of the elements out."""
        written = self.operator + self.equals
        return Interface(Tokens(self.elements + written, 2 + written), ClassLogits(self.elements))

    def world(self, rng: Stream) -> World:
        """The pairs on both sides, as row numbers: (trained,) and (pairs - trained,)."""
        return rng.split(self.pairs, self.share)

    def train_set(self, world: World) -> Batch:
        """Every pair that is trained on."""
        return self.examples(world[0])

    def test_sets(self) -> Mapping[str, TestSet]:
        """Every other pair."""
        return {"held-out": TestSet(whole=lambda world: self.examples(world[1]))}

    def examples(self, rows: Tensor) -> Batch:
        """The pairs with the given row numbers, in the order of the table: x (B, T), y (B,)."""
        import numpy as np
        import torch

        answers = self.answers()
        a, b = (torch.from_numpy(each).to(rows.device)[rows] for each in np.nonzero(answers >= 0))
        return Batch(self.written(a, b), torch.from_numpy(answers).to(rows.device)[a, b])

    def written(self, a: Tensor, b: Tensor) -> Tensor:
        """The tokens of pairs (B,), (B,): (B, T)."""
        import torch

        tokens, symbol = [a, b], self.elements
        if self.operator:
            tokens.insert(1, torch.full_like(a, symbol))
            symbol += 1
        if self.equals:
            tokens.append(torch.full_like(a, symbol))
        return torch.stack(tokens, dim=-1)

    def operands(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """a and b of tokens (B, T): (B,) and (B,)."""
        return x[:, 0], x[:, 2 if self.operator else 1]

    def losses(self) -> Mapping[str, Loss]:
        """Cross-entropy (the default) and square."""
        return CLASS_LOSSES

    def score(self, output: Tensor, batch: Batch) -> Mapping[str, Tensor | Mean]:
        """Share of pairs with the right answer (ranked); cross-entropy in nats."""
        missed = CLASS_LOSSES["cross-entropy"](output, batch)
        return {"accuracy": accuracy(output, batch.y), "cross-entropy": missed}

    def references(self, world: World, batch: Batch) -> Mapping[str, Tensor]:
        """Any answer alike; the strategies that know a part of it; the table."""
        import torch

        answer = self.table(batch.x)[self.operands(batch.x)]
        everything = torch.arange(self.elements, device=batch.x.device)
        right = everything == answer[:, None]
        left_open = {
            "trivial": torch.ones_like(right),
            **self.shortcuts(world, batch, answer),
            "optimal": right,
        }
        return {name: CERTAIN * possible for name, possible in left_open.items()}

    def table(self, like: Tensor) -> Tensor:
        """The answers as a tensor, on another tensor's device."""
        import torch

        return torch.from_numpy(self.answers()).to(like.device)
