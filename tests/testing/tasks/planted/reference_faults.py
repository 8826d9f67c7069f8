"""Tasks with a fault in what their references may see."""

from __future__ import annotations

import torch

import synthbench as sb
from tests.testing.tasks.sound import Dictator, Successor


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


REFERENCE_FAULTS: dict[type[sb.Task], str] = {
    NoOptimum: "references-fit-interface",
    TallReference: "references-fit-interface",
    ReadsLabels: "references-ignore-labels",
    ReadsAhead: "references-are-causal",
    ReadsLatents: "optimal-is-achievable",
}
"""Fault -> the law that must find it."""
