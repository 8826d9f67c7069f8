"""Multi-query associative recall (Arora et al. 2023, "Zoology")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from pydantic import Field, model_validator
from torch import Tensor

import synthbench as sb


class Mqar(sb.Task):
    """Pairs of a key and a value, then every key again in another order: recall its value.

    x = k_1 v_1 ... k_D v_D q_1 ... q_D: keys 0..K-1, then values, all of a sequence different and
    new in each. The output has a vocabulary of its own, the values, and only queries are asked
    for. Nothing is hidden: the world is constant.
    """

    name: ClassVar[str] = "mqar"
    headline: ClassVar[tuple[str, ...]] = ("pairs", "symbols")
    paper: ClassVar[str] = "Arora et al. 2023, arXiv:2312.04927"

    pairs: int = Field(default=4, ge=2)
    """Pairs of a key and a value."""
    symbols: int = Field(default=16, ge=2)
    """Number of keys, and of values."""

    @model_validator(mode="after")
    def _all_are_different(self) -> Mqar:
        if self.symbols < self.pairs:
            raise ValueError(f"symbols must be at least pairs={self.pairs}, got {self.symbols}")
        return self

    @property
    def interface(self) -> sb.Interface:
        """Keys and values in, values out."""
        length = 3 * self.pairs
        return sb.Interface(
            sb.Tokens(2 * self.symbols, length), sb.TokenLogits(self.symbols, length)
        )

    def world(self, rng: sb.Stream) -> Tensor:
        """Nothing: (1,)."""
        return torch.zeros(1, device=rng.device)

    def sample(self, world: Tensor, rng: sb.Stream, size: int) -> sb.Batch:
        """Fresh sequences: x and y (size, 3 D), y being -100 where nothing is asked."""
        keys = rng.permutation(self.symbols, (size,))[:, : self.pairs]
        values = rng.permutation(self.symbols, (size,))[:, : self.pairs]
        order = rng.permutation(self.pairs, (size,))
        pairs = torch.stack([keys, self.symbols + values], dim=2).flatten(1)
        x = torch.cat([pairs, keys.gather(1, order)], dim=1)
        unasked = torch.full_like(pairs, sb.IGNORED)
        return sb.Batch(x, torch.cat([unasked, values.gather(1, order)], dim=1))

    def losses(self) -> Mapping[str, sb.Loss]:
        """Cross-entropy over the queries, or over the last one."""
        return sb.NEXT_TOKEN_LOSSES

    def score(self, output: Tensor, batch: sb.Batch) -> Mapping[str, sb.Mean]:
        """Share of queries that are answered."""
        return {"accuracy": sb.accuracy(output, batch.y)}

    def references(self, world: Tensor, batch: sb.Batch) -> Mapping[str, Tensor]:
        """Uniform; any value of the context; the value of the key."""
        pairs, queries = batch.x[:, : 2 * self.pairs], batch.x[:, 2 * self.pairs :]
        values = sb.one_hot(pairs[:, 1::2] - self.symbols, self.symbols, torch.float32)
        found = (queries[:, :, None] == pairs[:, None, ::2]).to(values.dtype)
        unasked = values.new_zeros(pairs.shape[0], pairs.shape[1], self.symbols)
        present = values.sum(1, keepdim=True).expand_as(values)
        return {
            "trivial": torch.cat([unasked, torch.zeros_like(values)], dim=1),
            "in-context": torch.cat([unasked, present], dim=1),
            "optimal": torch.cat([unasked, found @ values], dim=1),
        }

    def exact_scores(self) -> Mapping[str, float]:
        """Accuracy over the queries."""
        return {"trivial": 1 / self.symbols, "in-context": 1 / self.pairs, "optimal": 1.0}
