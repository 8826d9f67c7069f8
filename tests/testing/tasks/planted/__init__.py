"""Tasks with one fault each, and the law that must find it."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import torch
from pydantic import Field, field_validator
from torch.fx.experimental.proxy_tensor import get_proxy_mode

import synthbench as sb
from tests.testing.tasks.sound import Dictator, Successor


class BadName(Dictator):
    """A name that cannot be typed."""

    name: ClassVar[str] = "My Task"


class Undocumented(Dictator):
    name: ClassVar[str] = "undocumented"


class ChangedByItsValidator(Dictator):
    """A validator that changes a field each time it reads it."""

    @field_validator("n")
    @classmethod
    def _one_more(cls, n: int) -> int:
        return n + 1


class SpacedField(Dictator):
    """A text field that a label does not carry."""

    title: str = "plain"

    def label(self) -> str:
        return f"{self.name} title=not there at all"


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


class BranchesOnData(Dictator):
    """A Python `if` on numbers."""

    def references(self, world, batch):
        if bool(batch.x.sum() > 1e9):
            return {}
        return super().references(world, batch)


class LooksAtNeighbours(Dictator):
    """Labels that depend on the other replicas."""

    def sample(self, world, rng, size):
        batch = super().sample(world, rng, size)
        if torch._C._functorch.is_batchedtensor(batch.y):
            raw = torch._C._functorch.get_unwrapped(batch.y)
            return sb.Batch(batch.x, batch.y * torch.sign(raw.sum() + 0.5))
        return batch


class KnowsAboutVmap(Dictator):
    """Other samples under vmap."""

    def sample(self, world, rng, size):
        batch = super().sample(world, rng, size)
        stacked = torch._C._functorch.is_batchedtensor(batch.x)
        return sb.Batch(-batch.x, -batch.y) if stacked else batch


class AsksWhetherItIsTraced(Successor):
    """Another score while it is recorded."""

    def score(self, output, batch):
        factor = 1.0 if get_proxy_mode() is None else 2.0
        return {name: factor * v for name, v in super().score(output, batch).items()}


class OnTheCpu(Dictator):
    """A tensor made on the CPU, wherever the world is."""

    def sample(self, world, rng, size):
        batch = super().sample(world, rng, size)
        return sb.Batch(batch.x, batch.y + torch.zeros(size))


class WorldOnTheCpu(Dictator):
    """A world that is made on the CPU."""

    def world(self, rng):
        drawn = super().world(rng)
        return torch.cat([drawn.new_zeros(1), drawn])[1:] + torch.zeros(1, dtype=torch.int64)


class SinglePrecision(Dictator):
    """A matrix of float32, whatever the precision."""

    def score(self, output, batch):
        mean = torch.full((len(output),), 1 / len(output), dtype=torch.float32)
        return {"accuracy": ((torch.sign(output * batch.y) + 1) / 2) @ mean.to(output.device)}


class SlashedScore(Dictator):
    """A score whose name is a path."""

    def score(self, output, batch):
        return {f"test/{name}": value for name, value in super().score(output, batch).items()}


class SummedScore(Dictator):
    """The number of correct answers."""

    def score(self, output, batch):
        return {"correct": super().score(output, batch)["accuracy"] * len(output)}

    def exact_scores(self):
        return {}


class RootScore(Successor):
    """A root of a mean: no mean."""

    def score(self, output, batch):
        return {"rmse": super().score(output, batch)["cross-entropy"].sqrt()}


class Percentage(Dictator):
    """An accuracy of up to 100."""

    def score(self, output, batch):
        return {"accuracy": 100 * super().score(output, batch)["accuracy"]}

    def exact_scores(self):
        return {name: 100 * score for name, score in super().exact_scores().items()}


class LogOfZero(Successor):
    """A logarithm of a probability that may be 0."""

    def score(self, output, batch):
        chosen = torch.gather(torch.softmax(output, -1), 2, batch.y[:, :, None])
        return {"cross-entropy": -torch.log(chosen).mean()}


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


class LoseTheGradient(Dictator):
    """A loss of predicted classes."""

    def losses(self):
        return {"errors": lambda out, batch: (torch.sign(out) != batch.y).float().mean()}


class SummedLoss(Dictator):
    """A loss that grows with the batch."""

    def losses(self):
        return {"hinge": lambda out, batch: torch.relu(1 - batch.y * out).sum()}


class Broadcasts(Dictator):
    """Labels (B, 1) against outputs (B,)."""

    def losses(self):
        return {"square": lambda out, batch: (batch.y[:, None] - out).square().mean()}


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


class ZeroOneLabels(Dictator):
    """Labels 0 and 1 with the losses for -1 and +1: half of the examples teach nothing."""

    def sample(self, world, rng, size):
        batch = super().sample(world, rng, size)
        return sb.Batch(batch.x, (batch.y + 1) / 2)

    def score(self, output, batch):
        return super().score(output, sb.Batch(batch.x, 2 * batch.y - 1))


class WorseThanTrivial(Dictator):
    """A strategy in between that has its sign wrong."""

    def references(self, world, batch):
        found = super().references(world, batch)
        return {"trivial": found["trivial"], "staged": -found["optimal"],
                "optimal": found["optimal"]}  # fmt: skip


class Uphill(Dictator):
    """A loss with the wrong sign."""

    def losses(self):
        return {"hinge": lambda out, batch: torch.relu(1 + batch.y * out).mean()}


class NoSource(Dictator):
    """A known algorithm out of nowhere."""

    def known_algorithms(self) -> Mapping[str, sb.KnownAlgorithm]:
        return {"guess": sb.KnownAlgorithm(1.0, 1.0, "")}


class ManyTrials(Dictator):
    """A field at a bound, with a known algorithm that takes forever."""

    n: int = Field(default=4, ge=1)

    def known_algorithms(self) -> Mapping[str, sb.KnownAlgorithm]:
        return {"search": sb.KnownAlgorithm(float("inf"), 1.0, "nowhere")}


PLANTED: dict[type[sb.Task], str] = {
    BadName: "name-and-docstring",
    Undocumented: "name-and-docstring",
    ChangedByItsValidator: "config-round-trips",
    SpacedField: "config-round-trips",
    Raises: "runs",
    NumpyLabels: "runs",
    TorchGlobal: "no-global-random-state",
    NumpyGlobal: "no-global-random-state",
    PythonGlobal: "no-global-random-state",
    SeedsGlobally: "no-global-random-state",
    FreshEntropy: "same-stream-same-data",
    Counts: "same-stream-same-data",
    WritesIntoTheBatch: "arguments-unchanged",
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
    BranchesOnData: "vmaps",
    LooksAtNeighbours: "replica-independence",
    KnowsAboutVmap: "vmapped-equals-looped",
    AsksWhetherItIsTraced: "traced-equals-called",
    OnTheCpu: "device-agnostic",
    WorldOnTheCpu: "device-agnostic",
    SinglePrecision: "any-precision",
    SlashedScore: "score-names",
    SummedScore: "scores-are-means",
    RootScore: "scores-are-means",
    Percentage: "scores-in-range",
    LogOfZero: "scores-in-range",
    NoOptimum: "references-fit-interface",
    TallReference: "references-fit-interface",
    ReadsLabels: "references-ignore-labels",
    ReadsAhead: "references-are-causal",
    ReadsLatents: "optimal-is-achievable",
    NothingToLearn: "optimal-beats-trivial",
    WrongFormula: "exact-scores-agree",
    StagedIsBetter: "nothing-beats-optimal",
    Underrated: "nothing-beats-optimal",
    OftenRight: "nothing-beats-optimal",
    Uncalibrated: "nothing-beats-optimal",
    LoseTheGradient: "losses-are-differentiable",
    SummedLoss: "losses-are-means",
    Broadcasts: "losses-are-means",
    TallLabels: "samples-fit-interface",
    BooleanLabels: "samples-fit-interface",
    ZeroOneLabels: "every-example-has-a-gradient",
    WorseThanTrivial: "none-worse-than-trivial",
    Uphill: "losses-prefer-optimal",
    NoSource: "known-algorithms-have-sources",
    ManyTrials: "known-algorithms-have-sources",
}
