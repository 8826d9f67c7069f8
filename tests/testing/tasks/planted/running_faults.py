"""Tasks that do not run, or not twice alike."""

from __future__ import annotations

import itertools
import random
from typing import ClassVar

import numpy as np
import torch

import synthbench as sb
from tests.testing.tasks.sound import Dictator


class Raises(Dictator):
    """A method that fails."""

    def exact_scores(self):
        raise KeyError("optimal")


class NumpyLabels(Dictator):
    """Labels that are no tensors."""

    def sample(self, world, rng, size):
        batch = super().sample(world, rng, size)
        return sb.Batch(batch.x, batch.y.numpy())


class TorchGlobal(Dictator):
    """Noise from torch's global generator."""

    def sample(self, world, rng, size):
        x = rng.signs((size, self.n))
        y = torch.where(torch.rand(size) < self.noise, -1.0, 1.0) * x[:, world][:, 0]
        return sb.Batch(x, y)


class NumpyGlobal(Dictator):
    """A world from numpy's global generator."""

    def world(self, rng):
        return torch.tensor([np.random.randint(self.n)])


class PythonGlobal(Dictator):
    """A world from Python's global generator."""

    def world(self, rng):
        return torch.tensor([random.randrange(self.n)])


class SeedsGlobally(Dictator):
    """Seeds the global generator, whatever else it does."""

    def sample(self, world, rng, size):
        torch.manual_seed(0)
        return super().sample(world, rng, size)


class FreshEntropy(Dictator):
    """A generator of its own, seeded by the system."""

    def sample(self, world, rng, size):
        batch = super().sample(world, rng, size)
        noise = np.random.default_rng().random(size) < self.noise
        return sb.Batch(batch.x, torch.where(torch.tensor(noise), -batch.y, batch.y))


class Counts(Dictator):
    """Remembers how often it was asked."""

    calls: ClassVar[itertools.count] = itertools.count()

    def sample(self, world, rng, size):
        batch = super().sample(world, rng, size)
        return sb.Batch(batch.x, torch.roll(batch.y, next(self.calls)))


class WritesIntoTheBatch(Dictator):
    """References that write into the batch."""

    def references(self, world, batch):
        found = {n: out.clone() for n, out in super().references(world, batch).items()}
        batch.y.abs_()
        return found


RUNNING_FAULTS: dict[type[sb.Task], str] = {
    Raises: "runs",
    NumpyLabels: "runs",
    TorchGlobal: "no-global-random-state",
    NumpyGlobal: "no-global-random-state",
    PythonGlobal: "no-global-random-state",
    SeedsGlobally: "no-global-random-state",
    FreshEntropy: "same-stream-same-data",
    Counts: "same-stream-same-data",
    WritesIntoTheBatch: "arguments-unchanged",
}
"""Fault -> the law that must find it."""
