"""Two small tasks that keep every law; the planted faults are changes of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor

import synthbench as sb


class Dictator(sb.Task):
    """y is one hidden coordinate of x, flipped with probability `noise`."""

    name: ClassVar[str] = "dictator"

    n: int = Field(default=8, ge=1)
    noise: float = Field(default=0.1, ge=0, lt=0.5)

    @property
    def interface(self) -> sb.Interface:
        return sb.Interface(sb.Signs(self.n), sb.Margin())

    def world(self, rng: sb.Stream) -> Tensor:
        return rng.integers(self.n, (1,))

    def sample(self, world: Tensor, rng: sb.Stream, size: int) -> sb.Batch:
        x = rng.signs((size, self.n))
        flipped = rng.bernoulli(self.noise, (size,))
        y = x[:, world][:, 0]
        return sb.Batch(x, torch.where(flipped, -y, y))

    def losses(self) -> Mapping[str, sb.Loss]:
        return sb.MARGIN_LOSSES

    def score(self, output: Tensor, batch: sb.Batch) -> Mapping[str, Tensor]:
        return {"accuracy": ((torch.sign(output * batch.y) + 1) / 2).mean()}

    def references(self, world: Tensor, batch: sb.Batch) -> Mapping[str, Tensor]:
        return {"trivial": torch.zeros_like(batch.y), "optimal": batch.x[:, world][:, 0]}

    def exact_scores(self) -> Mapping[str, float]:
        return {"trivial": 0.5, "optimal": 1 - self.noise}


class Successor(sb.Task):
    """The next symbol is a hidden function of the last one, but for a share of `noise`."""

    name: ClassVar[str] = "successor"

    symbols: int = Field(default=3, ge=2)
    length: int = Field(default=6, ge=2)
    noise: float = Field(default=0.3, ge=0, lt=1)

    @property
    def interface(self) -> sb.Interface:
        return sb.Interface(
            sb.Tokens(self.symbols, self.length), sb.TokenLogits(self.symbols, self.length)
        )

    def world(self, rng: sb.Stream) -> Tensor:
        return rng.permutation(self.symbols)

    def sample(self, world: Tensor, rng: sb.Stream, size: int) -> sb.Batch:
        free = rng.integers(self.symbols, (size, self.length + 1))
        at_random = rng.bernoulli(self.noise, (size, self.length + 1))
        states = [free[:, 0]]
        for t in range(1, self.length + 1):
            states.append(torch.where(at_random[:, t], free[:, t], world[states[-1]]))
        walk = torch.stack(states, dim=1)
        return sb.Batch(walk[:, :-1], walk[:, 1:], {"at_random": at_random[:, 1:]})

    def losses(self) -> Mapping[str, sb.Loss]:
        return sb.NEXT_TOKEN_LOSSES

    def score(self, output: Tensor, batch: sb.Batch) -> Mapping[str, Tensor]:
        missed = torch.gather(torch.log_softmax(output, -1), 2, batch.y[:, :, None])
        return {"cross-entropy": -missed.mean()}

    def references(self, world: Tensor, batch: sb.Batch) -> Mapping[str, Tensor]:
        likely = world[batch.x][..., None] == torch.arange(self.symbols, device=world.device)
        shares = self.noise / self.symbols + (1 - self.noise) * likely.to(torch.float32)
        uniform = torch.full_like(shares, 1 / self.symbols)
        return {"trivial": torch.log(uniform), "optimal": torch.log(shares.clamp(min=1e-30))}

    def exact_scores(self) -> Mapping[str, float]:
        return {}
