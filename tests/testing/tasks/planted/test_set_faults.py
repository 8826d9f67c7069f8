"""Tasks with a fault in their training set or in a test set."""

from __future__ import annotations

import itertools
from typing import ClassVar

import torch

import synthbench as sb
from tests.testing.tasks.sound import Dictator
from tests.testing.tasks.wider import Divided, SeveralLengths


class BothKinds(Divided):
    """A test set that is a sampler and a finite set."""

    def test_sets(self):
        return {"": sb.TestSet(sample=self.sample, whole=self.rest)}


class SpacedName(SeveralLengths):
    """A test set whose name is no column."""

    def test_sets(self):
        first, second = super().test_sets().values()
        return {"": first, "twice as long": second}


class WrongLength(SeveralLengths):
    """A test set that is longer than its interface says."""

    def test_sets(self):
        first, second = super().test_sets().items()
        return dict([first, (second[0], sb.TestSet(sample=second[1].sample))])


class OtherPort(Divided):
    """A test set whose answers are of another kind."""

    def test_sets(self):
        other = sb.Interface(sb.Signs(self.n), sb.ClassLogits(2))
        return super().test_sets() | {"classes": sb.TestSet(whole=self.rest, interface=other)}


class UnevenRows(Divided):
    """A training set that is of another size in other worlds."""

    def train_set(self, world):
        found = super().train_set(world)
        rows = 40 + int(world["support"])
        return sb.Batch(found.x[:rows], found.y[:rows])


class SecondRepeatsFirst(Dictator):
    """A second sampler that gives the examples of the first one."""

    def test_sets(self):
        def again(world, rng, size):
            return self.sample(world, sb.Stream(rng._key, sb.Purpose.EVAL, rng._step), size)

        return {"": sb.TestSet(sample=self.sample), "again": sb.TestSet(sample=again)}


class TableOfToday(Dictator):
    """A table that changes from one call to the next."""

    calls: ClassVar[itertools.count] = itertools.count()

    def fixed_inputs(self):
        return {"table": torch.tensor([next(self.calls)])}


class TableOnTheCpu(Divided):
    """A training set that stays on the CPU."""

    def train_set(self, world):
        found = super().train_set(world)
        return sb.Batch(found.x, found.y + torch.zeros(len(found.y)))


class WorseFitted(Divided):
    """A fitted reference of the wrong shape."""

    def fitted_references(self, train):
        return {"fitted": lambda x: x[:, :2]}


TEST_SET_FAULTS: dict[type[sb.Task], str] = {
    BothKinds: "test-sets-are-stated",
    SpacedName: "test-sets-are-stated",
    OtherPort: "test-sets-are-stated",
    WrongLength: "samples-fit-interface",
    UnevenRows: "samples-fit-interface",
    SecondRepeatsFirst: "examples-are-independent",
    TableOfToday: "same-stream-same-data",
    TableOnTheCpu: "device-agnostic",
    WorseFitted: "references-fit-interface",
}
"""Fault -> the law that must find it."""
