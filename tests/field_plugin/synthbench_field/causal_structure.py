"""Sequences with a hidden causal graph (Nichani et al. 2024)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor

import synthbench as sb
from synthbench_field.in_context_counts import counted, n_gram


class CausalStructure(sb.Task):
    """Predict each next symbol, which depends on that of a hidden earlier place, its parent.

    The parents are the same in all sequences of a replica, uniform over the earlier places; the
    transition probabilities from a parent's symbol are new in each sequence, rows
    Dirichlet(alpha), and the first symbol is uniform. Ranked by cross-entropy in nats.
    """

    name: ClassVar[str] = "causal-structure"
    headline: ClassVar[tuple[str, ...]] = ("symbols", "length")
    paper: ClassVar[str] = "Nichani et al. 2024, arXiv:2402.14735"

    symbols: int = Field(default=10, ge=2)
    """Number of symbols."""
    length: int = Field(default=20, ge=2)
    """Symbols that the model sees."""
    alpha: float = Field(default=0.1, ge=0.05, le=100)
    """Concentration of the transition probabilities."""

    @property
    def interface(self) -> sb.Interface:
        """Symbols in, log-odds of the next one out."""
        symbols, length = self.symbols, self.length
        return sb.Interface(sb.Tokens(symbols, length), sb.TokenLogits(symbols, length))

    def world(self, rng: sb.Stream) -> Tensor:
        """The parent of each place but the first: (length,), entry t, at most t, of place t + 1."""
        places = torch.arange(1, self.length + 1, device=rng.device)
        return (rng.words(self.length) * places) >> 32

    def sample(self, world: Tensor, rng: sb.Stream, size: int) -> sb.Batch:
        """Fresh sequences: x and y (size, length)."""
        chances = rng.dirichlet(self.alpha, (size, self.symbols, self.symbols))
        sequence = rng.integers(self.symbols, (size, 1))
        for place in range(self.length):
            parent = sequence.index_select(1, world[place : place + 1])[:, :, None]
            rows = chances.gather(1, parent.expand(-1, -1, self.symbols)).squeeze(1)
            sequence = torch.cat([sequence, rng.categorical(rows, (size,))[:, None]], dim=1)
        return sb.Batch(sequence[:, :-1], sequence[:, 1:])

    def losses(self) -> Mapping[str, sb.Loss]:
        """Cross-entropy at every position, or at the last alone."""
        return sb.NEXT_TOKEN_LOSSES

    def score(self, output: Tensor, batch: sb.Batch) -> Mapping[str, Tensor]:
        """Cross-entropy, and that at each position."""
        missed = -output.log_softmax(dim=-1).gather(-1, batch.y[..., None]).squeeze(-1)
        return {"cross-entropy": missed.mean(), "by-position": missed.mean(dim=0)}

    def references(self, world: Tensor, batch: sb.Batch) -> Mapping[str, Tensor]:
        """Uniform; in-context n-grams; counts of what followed the parent's symbol, which is Bayes.

        The n-grams are wrong where the parent is elsewhere, so half of each is uniform.
        """
        rows = sb.one_hot(batch.x, self.symbols, torch.float32)
        parents = rows.index_select(1, world)
        before = torch.cat([torch.zeros_like(rows[:, :1]), parents[:, :-1]], dim=1)
        careful = {
            name: ((n_gram(batch.x, self.symbols, order).exp() + 1 / self.symbols) / 2).log()
            for order, name in enumerate(("unigram", "bigram"))
        }
        bayes = counted(before, rows, parents, self.alpha)
        return {"trivial": torch.zeros_like(rows), **careful, "optimal": bayes}

    def exact_scores(self) -> Mapping[str, float]:
        """Cross-entropy in nats."""
        return {"trivial": math.log(self.symbols)}
