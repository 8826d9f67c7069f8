"""Tasks whose scale is wrong: trivial at one end, optimal at the other."""

from __future__ import annotations

import torch

import synthbench as sb
from tests.testing.tasks.sound import Dictator, Successor
from tests.testing.tasks.wider import BestKnown, Spurious


class NothingToLearn(Dictator):
    """So much noise that nothing can be told apart."""

    noise: float = 0.495


class WrongFormula(Dictator):
    """An exact score that forgets the noise."""

    def exact_scores(self):
        return {"trivial": 0.5, "optimal": 1.0}


class StagedIsBetter(Dictator):
    """A reference that is better than the optimum: labels are read by it from the wrong place."""

    noise: float = 0.0

    def references(self, world, batch):
        truth = batch.x[:, world][:, 0]
        clumsy = torch.where((batch.x[:, :3] > 0).all(1), -truth, truth)
        return {"trivial": torch.zeros_like(batch.y), "staged": truth, "optimal": clumsy}

    def exact_scores(self):
        return {}


class Underrated(Dictator):
    """An optimum that ignores a second clue, which a network finds."""

    def sample(self, world, rng, size):
        batch = super().sample(world, rng, size)
        tells = batch.x[:, 0] * batch.x[:, 1]
        return sb.Batch(batch.x, torch.where(rng.bernoulli(0.6, (size,)), tells, batch.y))

    def references(self, world, batch):
        return {"trivial": torch.zeros_like(batch.y), "optimal": batch.x[:, world][:, 0]}

    def exact_scores(self):
        return {"trivial": 0.5}


class OftenRight(Dictator):
    """An optimum that is exact in some worlds only: it ignores three coordinates that count too."""

    def sample(self, world, rng, size):
        x = rng.signs((size, self.n))
        return sb.Batch(x, torch.sign(2.5 * x[:, world][:, 0] + x[:, :3].sum(1)))

    def exact_scores(self):
        return {"trivial": 0.5}


class Uncalibrated(Successor):
    """An optimum that is too sure of itself."""

    def references(self, world, batch):
        found = dict(super().references(world, batch))
        return found | {"optimal": 1.5 * found["optimal"]}


class WorseThanTrivial(Dictator):
    """A strategy in between that has its sign wrong."""

    def references(self, world, batch):
        found = super().references(world, batch)
        return {"trivial": found["trivial"], "staged": -found["optimal"],
                "optimal": found["optimal"]}  # fmt: skip


class FitsNothing(BestKnown):
    """Fitted references that know no more than the trivial one."""

    def fitted_references(self, train):
        return {"constant": lambda x: torch.zeros_like(x[:, 0])}


class WrongElsewhere(Spurious):
    """A formula that is wrong on the second test set."""

    def exact_scores(self):
        return super().exact_scores() | {"trivial@as-trained": 0.9}


OPTIMUM_FAULTS: dict[type[sb.Task], str] = {
    NothingToLearn: "optimal-beats-trivial",
    WrongFormula: "exact-scores-agree",
    StagedIsBetter: "nothing-beats-optimal",
    Underrated: "nothing-beats-optimal",
    OftenRight: "nothing-beats-optimal",
    Uncalibrated: "nothing-beats-optimal",
    WorseThanTrivial: "none-worse-than-trivial",
    FitsNothing: "optimal-beats-trivial",
    WrongElsewhere: "exact-scores-agree",
}
"""Fault -> the law that must find it."""
