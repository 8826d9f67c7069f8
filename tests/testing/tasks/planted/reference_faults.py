"""Tasks with a fault in what their references may see."""

from __future__ import annotations

from typing import ClassVar

import torch

import synthbench as sb
from tests.testing.tasks.sound import Dictator, Successor
from tests.testing.tasks.wider import InContextRegression


class NoOptimum(Dictator):
    """References without the best one."""

    def references(self, world, batch):
        return {"trivial": torch.zeros_like(batch.y)}

    def exact_scores(self):
        return {"trivial": 0.5}


class TallReference(Dictator):
    """A reference of shape (B, 1)."""

    def references(self, world, batch):
        return super().references(world, batch) | {"optimal": batch.x[:, world]}


class ReadsLabels(Dictator):
    """An optimum that is the label."""

    def references(self, world, batch):
        return super().references(world, batch) | {"optimal": batch.y.clone()}

    def exact_scores(self):
        return {"trivial": 0.5, "optimal": 1.0}


class ReadsAhead(Successor):
    """An optimum that reads the next symbol in x."""

    def references(self, world, batch):
        following = torch.roll(batch.x, -1, 1)
        sure = following[..., None] == torch.arange(self.symbols, device=world.device)
        return super().references(world, batch) | {"optimal": 9 * sure.to(torch.float32)}


class ReadsLatents(Successor):
    """An optimum that knows which symbols were drawn at random."""

    def references(self, world, batch):
        found = dict(super().references(world, batch))
        known = batch.latents["at_random"][..., None]
        likely = world[batch.x][..., None] == torch.arange(self.symbols, device=world.device)
        sure = torch.log(torch.where(likely, 0.999, 0.001 / (self.symbols - 1)))
        return found | {"optimal": torch.where(known, found["trivial"], sure)}


class OracleOfStrings(sb.Task):
    """An optimum that knows the hidden map of each example, which its strings show bit by bit.

    Every third symbol is a separator, of which it is as sure as anyone.
    """

    name: ClassVar[str] = "oracle-of-strings"

    @property
    def interface(self):
        return sb.Interface(sb.Tokens(3, 11), sb.TokenLogits(3, 11))

    def world(self, rng):
        return torch.zeros(0, device=rng.device)

    def sample(self, world, rng, size):
        maps = torch.stack([rng.integers(2, (size,)) for _ in range(2)], 1)
        free, at_random = rng.integers(2, (size, 12)), rng.bernoulli(0.2, (size, 12))
        symbols = [free[:, 0]]
        for t in range(1, 12):
            if t % 3 == 2:
                symbols.append(torch.full_like(free[:, 0], 2))
            elif t % 3 == 0:
                symbols.append(free[:, t])
            else:
                own = maps.gather(1, symbols[-1][:, None])[:, 0]
                symbols.append(torch.where(at_random[:, t], free[:, t], own))
        walk = torch.stack(symbols, 1)
        return sb.Batch(walk[:, :-1], walk[:, 1:], {"map": maps})

    def losses(self):
        return sb.NEXT_TOKEN_LOSSES

    def score(self, output, batch):
        missed = -torch.log_softmax(output, -1).gather(2, batch.y[:, :, None])
        return {"cross-entropy": missed.mean()}

    def references(self, world, batch):
        x = batch.x
        places = torch.arange(11, device=x.device) % 3
        own = batch.latents["map"].gather(1, x.clamp(max=1))
        hit = torch.arange(3, device=x.device) == own[..., None]
        string = 0.8 * hit + 0.1 * (torch.arange(3, device=x.device) < 2)
        start = torch.tensor([0.5, 0.5, 0.0], device=x.device).expand_as(string)
        end = torch.tensor([0.0, 0.0, 1.0], device=x.device).expand_as(string)
        at = places[:, None]
        found = torch.where(at == 0, string, torch.where(at == 1, end, start))
        uniform = torch.full_like(found, 1 / 3)
        return {"trivial": uniform.log(), "optimal": found.clamp(min=1e-9).log()}

    def exact_scores(self):
        return {}


class ImpossibleHeights(sb.Task):
    """A walk between 0 and 3 whose optimum has no answer for a height beyond (as in Dyck words)."""

    name: ClassVar[str] = "impossible-heights"

    @property
    def interface(self):
        return sb.Interface(sb.Tokens(2, 16), sb.TokenLogits(2, 16))

    def world(self, rng):
        return torch.zeros(0, device=rng.device)

    def sample(self, world, rng, size):
        ups, height, steps = rng.bits((size, 17)), torch.zeros(size, dtype=torch.int64), []
        height = height.to(rng.device)
        for t in range(17):
            up = torch.where(height == 0, 1, torch.where(height == 3, 0, ups[:, t]))
            height = height + 2 * up - 1
            steps.append(up)
        walk = torch.stack(steps, 1)
        return sb.Batch(walk[:, :-1], walk[:, 1:])

    def losses(self):
        return sb.NEXT_TOKEN_LOSSES

    def score(self, output, batch):
        missed = -torch.log_softmax(output, -1).gather(2, batch.y[:, :, None])
        return {"cross-entropy": missed.mean()}

    def references(self, world, batch):
        shares = torch.tensor([0.0, 0.5, 0.5, 1.0], device=batch.x.device)
        down = shares[(2 * batch.x - 1).cumsum(1)]
        optimal = torch.stack([down, 1 - down], -1).clamp(min=1e-9).log()
        return {"trivial": torch.zeros_like(optimal), "optimal": optimal}

    def exact_scores(self):
        return {}


class ReadsTheLastVector(InContextRegression):
    """An optimum that looks at the next vector, which shows the answer."""

    def references(self, world, batch):
        found = super().references(world, batch)
        shown = torch.cat([batch.x[:, 1:, -1], found["optimal"][:, -1:]], 1)
        return found | {"optimal": shown}


class NoCeiling(Dictator):
    """A ceiling that is no reference."""

    ceiling: ClassVar[str] = "oracle"


REFERENCE_FAULTS: dict[type[sb.Task], str] = {
    NoOptimum: "references-fit-interface",
    TallReference: "references-fit-interface",
    ReadsLabels: "references-ignore-labels",
    ReadsAhead: "references-are-causal",
    ReadsLatents: "optimal-is-achievable",
    OracleOfStrings: "optimal-is-achievable",
    ImpossibleHeights: "references-are-causal",
    ReadsTheLastVector: "references-are-causal",
    NoCeiling: "references-fit-interface",
}
"""Fault -> the law that must find it."""
