"""Dyck-(k, m): well-nested brackets of bounded depth (Hewitt et al. 2020; Yao et al. 2021)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, model_validator

from synthbench import (
    IGNORED,
    NEXT_TOKEN_LOSSES,
    Batch,
    Interface,
    Loss,
    Mean,
    Preset,
    Task,
    TestSet,
    TokenLogits,
    Tokens,
    accuracy,
)

if TYPE_CHECKING:
    from torch import Tensor

    from synthbench import Stream

SMALL = "lstm layers=1 width=32 mlp=0 lr=0.01 batch_size=32"
"""The baseline of the small preset."""
HEWITT = (
    "lstm layers=1 width=24 mlp=0 optimizer=adam lr=0.01 beta2=0.999 weight_decay=0 clip=none "
    "batch_size=10"
)
"""An LSTM of 3 m ceil(log2 k) - m = 24 hidden units (Hewitt et al. 2020, released settings)."""
YAO = (
    "transformer layers=2 width=30 mlp=4 positions=absolute optimizer=adam lr=0.001 beta2=0.999 "
    "weight_decay=0 clip=none batch_size=10"
)
"""A GPT-2 of width 30 with one head (Yao et al. 2021)."""
SMALLEST = 1e-9
"""Probability of what cannot come."""


class Dyck(Task):
    """Predict the next symbol of strings of brackets of k types, nested at most m deep.

    On an empty stack a string ends with probability 1/2; on a full one the innermost bracket
    closes; otherwise it does with probability 1/2. The types of opening brackets are uniform.
    Symbols: k opening, k closing, END, after which another string begins. Which closing bracket
    belongs to which opening one is hidden, the same in all strings of a replica. Ranked by
    cross-entropy in nats per symbol. Latent: `depth` (B, T), the brackets open after x_t.
    """

    name: ClassVar[str] = "dyck"
    headline: ClassVar[tuple[str, ...]] = ("k", "m", "length")
    paper: ClassVar[str] = "Hewitt et al. 2020, arXiv:2010.07515; Yao et al. 2021, arXiv:2105.11115"

    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset("k=4 m=3 length=24 longer=[48]", SMALL, 64_000, evaluation_samples=256),
        "hewitt": Preset("k=8 m=3 length=84 longer=[168]", HEWITT, 200_000),
        "yao": Preset("k=8 m=10 length=64 longer=[128]", YAO, 200_000),
    }

    k: int = Field(default=8, ge=1)
    """Types of brackets."""
    m: int = Field(default=3, ge=1)
    """Largest depth."""
    length: int = Field(default=84, ge=2)
    """Symbols in a training sequence, and in the ranked test set."""
    longer: tuple[int, ...] = (168,)
    """Lengths of further test sets."""

    @model_validator(mode="after")
    def _longer_than_trained(self) -> Dyck:
        if any(length <= self.length for length in self.longer):
            raise ValueError(f"longer must be above length={self.length}, got {self.longer}")
        return self

    @property
    def interface(self) -> Interface:
        """Symbols in, log-odds of the next one out."""
        return self.interface_of(self.length)

    def interface_of(self, length: int) -> Interface:
        """At another length."""
        symbols = 2 * self.k + 1
        return Interface(Tokens(symbols, length), TokenLogits(symbols, length))

    def world(self, rng: Stream) -> Tensor:
        """The opening bracket that each closing one belongs to: (k,)."""
        return rng.permutation(self.k)

    def sample(self, world: Tensor, rng: Stream, size: int) -> Batch:
        """Fresh sequences of the trained length: x and y (size, length)."""
        return self.strings(world, rng, size, self.length)

    def strings(self, world: Tensor, rng: Stream, size: int, length: int) -> Batch:
        """Fresh sequences of any length; x begins with END.

        Latents, each (size, length), of the prefix that ends with x_t: `depth`, and `distance`,
        from y_t back to where the innermost bracket was opened.
        """
        import torch

        from synthbench_dyck.stack import Stack

        opens, types = rng.bits((size, length)) > 0, rng.integers(self.k, (size, length))
        stack, closing = Stack.empty(types, self.m), world.argsort()
        symbols, depths, distances = [torch.full_like(types[:, 0], 2 * self.k)], [], []
        for position in range(length):
            depths.append(stack.depth)
            distances.append(position + 1 - stack.top_opened)
            closed = torch.where(stack.depth > 0, self.k + closing[stack.top], 2 * self.k)
            wanted = opens[:, position] & (stack.depth < self.m)
            symbols.append(torch.where(wanted, types[:, position], closed))
            stack = stack.after(symbols[-1], position + 1, self.k)
        both = torch.stack(symbols, dim=1)
        latents = {"depth": torch.stack(depths, dim=1), "distance": torch.stack(distances, dim=1)}
        return Batch(both[:, :-1], both[:, 1:], latents)

    def test_sets(self) -> Mapping[str, TestSet]:
        """Sequences of the trained length, then of the longer ones."""

        def at(length: int) -> TestSet:
            return TestSet(
                sample=lambda world, rng, size: self.strings(world, rng, size, length),
                interface=self.interface_of(length),
            )

        return {f"length-{length}": at(length) for length in (self.length, *self.longer)}

    def losses(self) -> Mapping[str, Loss]:
        """Cross-entropy at every position, or at the last alone."""
        return NEXT_TOKEN_LOSSES

    def score(self, output: Tensor, batch: Batch) -> Mapping[str, Tensor | Mean]:
        """Cross-entropy; how often a closing bracket is the likeliest of all closing ones.

        Also that by the distance to the opening bracket: place p has distances from 2^p to
        2^(p+1) - 1.
        """
        import torch

        closes = (batch.y >= self.k) & (batch.y < 2 * self.k)
        kinds = torch.where(closes, batch.y - self.k, IGNORED)
        hits = accuracy(output[..., self.k : 2 * self.k], kinds)
        places = torch.arange(batch.y.shape[1].bit_length(), device=batch.y.device)
        inside = ((batch.latents["distance"].reshape(-1, 1) >> places) == 1).float()
        return {
            "cross-entropy": NEXT_TOKEN_LOSSES["cross-entropy"](output, batch),
            "closing-accuracy": hits,
            "closing-by-distance": Mean(
                hits.values[:, None].expand_as(inside), hits.weights[:, None] * inside
            ),
        }

    def references(self, world: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        """Uniform; three that know the depth, and of the type nothing, the latest, and all.

        latest-open: knows the innermost bracket where it has just been opened.
        """
        from synthbench_dyck.strategies import strategies

        chances = strategies(batch.x, world.argsort(), self.k, self.m)
        return {name: chance.clamp(min=SMALLEST).log() for name, chance in chances.items()}

    def exact_scores(self) -> Mapping[str, float]:
        """Cross-entropy per symbol, from the shares of positions at every depth.

        Bayes: ln 2 + (ln k)/2 on an empty stack and in between, 0 on a full one. Where the type
        is not known, a closing bracket costs ln k more.
        """
        from synthbench_dyck.depths import depth_shares

        kinds, exact = math.log(self.k), {}
        for length in (self.length, *self.longer):
            at = depth_shares(self.m, length)
            bayes = (at.empty + at.between) * (math.log(2) + kinds / 2)
            closing, known = at.between / 2 + at.full, at.between_opened / 2 + at.full_opened
            on = "" if length == self.length else f"@length-{length}"
            exact[f"trivial{on}"] = math.log(2 * self.k + 1)
            exact[f"depth-only{on}"] = bayes + closing * kinds
            exact[f"latest-open{on}"] = bayes + (closing - known) * kinds
            exact[f"optimal{on}"] = bayes
        return exact
