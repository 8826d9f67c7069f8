"""Tasks whose held-out examples are known from training, or are drawn from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from pydantic import Field

import synthbench as sb
from synthbench import Purpose
from tests.testing.tasks.sound import Dictator
from tests.testing.tasks.wider import Divided


class TestedOnTrainingRows(Divided):
    """The finite test set is the training set."""

    def test_sets(self):
        return {"": sb.TestSet(whole=self.train_set)}


class SomeRowsLeak(Divided):
    """The finite test set holds one training row."""

    def test_sets(self):
        def with_one_more(world):
            known, rest = self.train_set(world), self.rest(world)
            return sb.Batch(torch.cat([known.x[:1], rest.x]), torch.cat([known.y[:1], rest.y]))

        return {"": sb.TestSet(whole=with_one_more)}


class ModularAddition(sb.Task):
    """Nine pairs of numbers, which a network that is trained on samples has soon seen."""

    name: ClassVar[str] = "modular-addition"

    p: int = Field(default=3, ge=2)

    @property
    def interface(self):
        return sb.Interface(sb.Tokens(self.p, 2), sb.ClassLogits(self.p))

    def world(self, rng):
        return torch.zeros(0, device=rng.device)

    def sample(self, world, rng, size):
        x = rng.integers(self.p, (size, 2))
        return sb.Batch(x, x.sum(1) % self.p)

    def losses(self) -> Mapping[str, sb.Loss]:
        return sb.CLASS_LOSSES

    def score(self, output, batch):
        return {"accuracy": sb.accuracy(output, batch.y)}

    def references(self, world, batch):
        classes = torch.arange(self.p, device=batch.x.device)
        sums = (batch.x.sum(1) % self.p)[:, None] == classes
        return {"trivial": torch.zeros(len(sums), self.p, device=sums.device),
                "optimal": 9.0 * sums}  # fmt: skip

    def exact_scores(self):
        return {"trivial": 1 / self.p, "optimal": 1.0}


class OtherNoiseHeldOut(Dictator):
    """Labels without noise where they are held out."""

    def sample(self, world, rng, size):
        batch = super().sample(world, rng, size)
        clean = rng._purpose == Purpose.EVAL
        return sb.Batch(batch.x, batch.x[:, world][:, 0] if clean else batch.y)

    def exact_scores(self):
        return {"trivial": 0.5}


class CurriculumByStream(Dictator):
    """Inputs that are biased in the first steps, by the step of the stream."""

    def sample(self, world, rng, size):
        batch = super().sample(world, rng, size)
        towards = rng.bernoulli(0.5, (size, self.n)) & (rng._step < 500)
        flipped = batch.x[:, world][:, 0] * batch.y
        x = torch.where(towards, 1.0, batch.x)
        return sb.Batch(x, x[:, world][:, 0] * flipped)


LEAK_FAULTS: dict[type[sb.Task], str] = {
    TestedOnTrainingRows: "train-and-eval-disjoint",
    SomeRowsLeak: "train-and-eval-disjoint",
    ModularAddition: "train-and-eval-disjoint",
    OtherNoiseHeldOut: "sample-ignores-purpose",
    CurriculumByStream: "sample-ignores-purpose",
}
"""Fault -> the law that must find it."""
