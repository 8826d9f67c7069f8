"""Tasks with a fault in their samples."""

from __future__ import annotations

import torch

import synthbench as sb
from tests.testing.tasks.sound import Dictator, Successor


class WideInput(Dictator):
    """One coordinate more than the interface says."""

    @property
    def interface(self):
        return sb.Interface(sb.Signs(self.n - 1), sb.Margin())


class ZeroOneInput(Dictator):
    """Bits where the interface says signs."""

    def sample(self, world, rng, size):
        batch = super().sample(world, rng, size)
        return sb.Batch((batch.x + 1) / 2, batch.y)

    def references(self, world, batch):
        return super().references(world, batch._replace(x=2 * batch.x - 1))


class TokenTooMany(Successor):
    """Symbols from 1 to V."""

    def sample(self, world, rng, size):
        batch = super().sample(world, rng, size)
        return batch._replace(x=batch.x + 1)

    def references(self, world, batch):
        return super().references(world, batch._replace(x=batch.x - 1))


class FloatTokens(Successor):
    """Tokens as 32-bit integers."""

    def sample(self, world, rng, size):
        batch = super().sample(world, rng, size)
        return batch._replace(x=batch.x.to(torch.int32))

    def references(self, world, batch):
        return super().references(world, batch._replace(x=batch.x.long()))


class EvenSizesOnly(Dictator):
    """Pairs of examples, whatever the size."""

    def sample(self, world, rng, size):
        return super().sample(world, rng, 2 * max(size // 2, 1))


class OnceABatch(Dictator):
    """The first example of every batch is all ones."""

    def sample(self, world, rng, size):
        batch = super().sample(world, rng, size)
        first = (torch.arange(size, device=batch.y.device) == 0)[:, None]
        x = torch.where(first, torch.ones_like(batch.x), batch.x)
        flipped = batch.x[:, world][:, 0] * batch.y
        return sb.Batch(x, x[:, world][:, 0] * flipped)


class OneSample(Dictator):
    """Inputs from a fixed stream."""

    def sample(self, world, rng, size):
        fixed = sb.Stream(torch.zeros(2, dtype=torch.int64, device=rng.device), sb.Purpose.TRAIN)
        return super().sample(world, fixed, size)


class ForgetsTheStep(Dictator):
    """The same examples at every step."""

    def sample(self, world, rng, size):
        return super().sample(world, sb.Stream(rng._key, rng._purpose), size)


class ForgetsThePurpose(Dictator):
    """Held-out examples that are trained on."""

    def sample(self, world, rng, size):
        return super().sample(world, sb.Stream(rng._key, sb.Purpose.TRAIN, rng._step), size)


class LeaksSome(Dictator):
    """A tenth of the held-out examples is trained on."""

    def sample(self, world, rng, size):
        own = super().sample(world, rng, size)
        shared = super().sample(world, sb.Stream(rng._key, sb.Purpose.TRAIN, rng._step), size)
        tenth = torch.arange(size, device=rng.device) % 10 == 0
        return sb.Batch(
            torch.where(tenth[:, None], shared.x, own.x), torch.where(tenth, shared.y, own.y)
        )


class Repeats(Dictator):
    """Every example twice."""

    def sample(self, world, rng, size):
        batch = super().sample(world, rng, (size + 1) // 2)
        return sb.Batch(*(t.repeat_interleave(2, 0)[:size] for t in (batch.x, batch.y)))


class FixedWorld(Dictator):
    """The same hidden truth for every seed."""

    def world(self, rng):
        return torch.zeros(1, dtype=torch.int64, device=rng.device)


class TallLabels(Dictator):
    """Labels (size, 1), where a margin needs (size,)."""

    def sample(self, world, rng, size):
        batch = super().sample(world, rng, size)
        return sb.Batch(batch.x, batch.y[:, None])

    def score(self, output, batch):
        return super().score(output, sb.Batch(batch.x, batch.y[:, 0]))


class BooleanLabels(Dictator):
    """Labels that are True and False, with the losses for -1 and +1."""

    def sample(self, world, rng, size):
        batch = super().sample(world, rng, size)
        return sb.Batch(batch.x, batch.y > 0)

    def score(self, output, batch):
        return super().score(output, sb.Batch(batch.x, 2.0 * batch.y - 1))

    def losses(self):
        return {"hinge": sb.MARGIN_LOSSES["hinge"]}


SAMPLE_FAULTS: dict[type[sb.Task], str] = {
    WideInput: "samples-fit-interface",
    ZeroOneInput: "samples-fit-interface",
    TokenTooMany: "samples-fit-interface",
    FloatTokens: "samples-fit-interface",
    EvenSizesOnly: "any-size",
    OnceABatch: "size-changes-nothing",
    OneSample: "seeds-give-other-data",
    ForgetsTheStep: "steps-give-other-data",
    ForgetsThePurpose: "train-and-eval-disjoint",
    LeaksSome: "train-and-eval-disjoint",
    Repeats: "examples-are-independent",
    FixedWorld: "world-varies",
    TallLabels: "samples-fit-interface",
    BooleanLabels: "samples-fit-interface",
}
"""Fault -> the law that must find it."""
