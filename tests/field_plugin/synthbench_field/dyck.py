"""Dyck-(k, m): well-nested brackets of bounded depth (Hewitt et al. 2020; Yao et al. 2021)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor

import synthbench as sb
from synthbench_field.bracket_stack import depth_shares, read, top


class Dyck(sb.Task):
    """Predict the next symbol of strings of brackets of k types, nested at most m deep.

    On an empty stack a string ends with probability 1/2; on a full one the innermost bracket
    closes; otherwise it does with probability 1/2. The types of opening brackets are uniform.
    Symbols: k opening, k closing, END, after which another string begins. Which closing bracket
    belongs to which opening one is hidden. Ranked by cross-entropy in nats.
    """

    name: ClassVar[str] = "dyck"
    headline: ClassVar[tuple[str, ...]] = ("k", "m", "length")
    paper: ClassVar[str] = "Hewitt et al. 2020, arXiv:2010.07515; Yao et al. 2021, arXiv:2105.11115"

    k: int = Field(default=2, ge=1)
    """Types of brackets."""
    m: int = Field(default=3, ge=1)
    """Largest depth."""
    length: int = Field(default=24, ge=2)
    """Symbols in a training sequence, and in the ranked test set."""
    longer: tuple[int, ...] = (48,)
    """Lengths of further test sets."""

    @property
    def interface(self) -> sb.Interface:
        """Symbols in, log-odds of the next one out."""
        return self.interface_of(self.length)

    def interface_of(self, length: int) -> sb.Interface:
        """At another length."""
        symbols = 2 * self.k + 1
        return sb.Interface(sb.Tokens(symbols, length), sb.TokenLogits(symbols, length))

    def world(self, rng: sb.Stream) -> Tensor:
        """The opening bracket that each closing one belongs to: (k,)."""
        return rng.permutation(self.k)

    def sample(self, world: Tensor, rng: sb.Stream, size: int) -> sb.Batch:
        """Fresh sequences of the trained length: x and y (size, length)."""
        return self.strings(world, rng, size, self.length)

    def strings(self, world: Tensor, rng: sb.Stream, size: int, length: int) -> sb.Batch:
        """Fresh sequences of any length; x begins with END."""
        opens, types = rng.bits((size, length)) > 0, rng.integers(self.k, (size, length))
        stack = torch.zeros(size, self.m, dtype=torch.int64, device=rng.device)
        depth, closing = stack[:, 0], world.argsort()
        symbols = [torch.full_like(depth, 2 * self.k)]
        for wanted, kind in zip(opens.unbind(1), types.unbind(1), strict=True):
            closed = torch.where(depth > 0, self.k + closing[top(stack, depth)], 2 * self.k)
            symbol = torch.where(wanted & (depth < self.m), kind, closed)
            stack, depth = read(symbol, stack, depth, self.k)
            symbols.append(symbol)
        both = torch.stack(symbols, dim=1)
        return sb.Batch(both[:, :-1], both[:, 1:])

    def test_sets(self) -> Mapping[str, sb.TestSet]:
        """Sequences of the trained length, then of the longer ones."""

        def at(length: int) -> sb.TestSet:
            return sb.TestSet(
                sample=lambda world, rng, size: self.strings(world, rng, size, length),
                interface=self.interface_of(length),
            )

        return {f"length-{length}": at(length) for length in (self.length, *self.longer)}

    def losses(self) -> Mapping[str, sb.Loss]:
        """Cross-entropy at every position, or at the last alone."""
        return sb.NEXT_TOKEN_LOSSES

    def score(self, output: Tensor, batch: sb.Batch) -> Mapping[str, Tensor | sb.Mean]:
        """Cross-entropy, and how often a closing bracket is the likeliest of all closing ones."""
        closes = (batch.y >= self.k) & (batch.y < 2 * self.k)
        kinds = torch.where(closes, batch.y - self.k, sb.IGNORED)
        return {
            "cross-entropy": self.losses()["cross-entropy"](output, batch),
            "closing-accuracy": sb.accuracy(output[..., self.k : 2 * self.k], kinds),
        }

    def references(self, world: Tensor, batch: sb.Batch) -> Mapping[str, Tensor]:
        """Uniform; knows how deep it is, not in what; knows the stack, which is Bayes."""
        stack = torch.zeros_like(batch.x[:, :1]).expand(-1, self.m)
        depth, closing = stack[:, 0], world.argsort()
        closes, ends, tops = [], [], []
        for symbol in batch.x.unbind(1):
            stack, depth = read(symbol, stack, depth, self.k)
            closes.append((depth > 0) * 0.5 + (depth == self.m) * 0.5)
            ends.append((depth == 0) * 0.5)
            tops.append(closing[top(stack, depth)])
        close, end = torch.stack(closes, 1)[..., None], torch.stack(ends, 1)[..., None]
        opening = ((1 - close - end) / self.k).expand(-1, -1, self.k)
        known = sb.one_hot(torch.stack(tops, 1), self.k, torch.float32)
        bayes = torch.cat([opening, close * known, end], dim=-1)
        depth_only = torch.cat([opening, close.expand_as(known) / self.k, end], dim=-1)
        named = {"trivial": torch.ones_like(bayes), "depth-only": depth_only, "optimal": bayes}
        return {name: chances.clamp(min=1e-9).log() for name, chances in named.items()}

    def exact_scores(self) -> Mapping[str, float]:
        """Cross-entropy per symbol, from the shares of positions at every depth."""
        two, k, exact = math.log(2), math.log(self.k), {}
        for length in (self.length, *self.longer):
            empty, between, full = depth_shares(self.m, length)
            bayes = (empty + between) * (two + k / 2)
            on = "" if length == self.length else f"@length-{length}"
            exact[f"trivial{on}"] = math.log(2 * self.k + 1)
            exact[f"depth-only{on}"] = bayes + (between / 2 + full) * k
            exact[f"optimal{on}"] = bayes
        return exact
