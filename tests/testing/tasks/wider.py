"""Sound tasks that use the rest of the contract: test sets, finite sets, means, other ceilings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

import synthbench as sb
from tests.testing.tasks.sound import Dictator, Successor


class Divided(Dictator):
    """All inputs, a quarter of which may be trained on; the others are held out."""

    name: ClassVar[str] = "divided"
    noise: float = 0.0

    def world(self, rng: sb.Stream) -> dict[str, Tensor]:
        known, rest = rng.split(2**self.n, 0.25)
        return {"support": rng.integers(self.n, (1,)), "known": known, "rest": rest}

    def train_set(self, world: dict[str, Tensor]) -> sb.Batch:
        return self.rows(world, "known")

    def rest(self, world: dict[str, Tensor]) -> sb.Batch:
        return self.rows(world, "rest")

    def rows(self, world: dict[str, Tensor], side: str) -> sb.Batch:
        places = torch.arange(self.n, device=world[side].device)
        x = ((world[side][:, None] >> places) & 1).float() * 2 - 1
        return sb.Batch(x, x[:, world["support"]][:, 0])

    def test_sets(self) -> Mapping[str, sb.TestSet]:
        return {"held-out": sb.TestSet(whole=self.rest), "train": sb.TestSet(whole=self.train_set)}

    def sample(self, world, rng, size):
        raise NotImplementedError

    def references(self, world, batch):
        return {
            "trivial": torch.zeros_like(batch.x[:, 0]),
            "optimal": batch.x[:, world["support"]][:, 0],
        }


class SeveralLengths(Successor):
    """Trained on short sequences, and held against long ones, position by position."""

    name: ClassVar[str] = "several-lengths"

    def test_sets(self) -> Mapping[str, sb.TestSet]:
        longer = Successor(symbols=self.symbols, length=2 * self.length, noise=self.noise)
        return {
            "": sb.TestSet(sample=self.sample),
            "twice-as-long": sb.TestSet(sample=longer.sample, interface=longer.interface),
        }

    def score(self, output: Tensor, batch: sb.Batch) -> dict[str, sb.Score]:
        missed = -torch.log_softmax(output, -1).gather(2, batch.y[:, :, None])[:, :, 0]
        curve = sb.Mean(missed, torch.ones_like(missed))
        return {"cross-entropy": missed.mean(), "by-position": curve}


class Regression(sb.Task):
    """Real labels, y = tanh(x u), which differ in their last bits under vmap."""

    name: ClassVar[str] = "regression"
    n: int = 33

    @property
    def interface(self) -> sb.Interface:
        return sb.Interface(sb.Reals(self.n), sb.Value())

    def world(self, rng: sb.Stream) -> Tensor:
        return rng.normal((self.n,)) / self.n**0.5

    def sample(self, world: Tensor, rng: sb.Stream, size: int) -> sb.Batch:
        x = rng.normal((size, self.n))
        return sb.Batch(x, torch.tanh(x @ world))

    def losses(self) -> Mapping[str, sb.Loss]:
        return sb.REGRESSION_LOSSES

    def score(self, output: Tensor, batch: sb.Batch) -> Mapping[str, Tensor]:
        return {"square": (output - batch.y).square().mean()}

    def references(self, world: Tensor, batch: sb.Batch) -> Mapping[str, Tensor]:
        return {
            "trivial": torch.zeros_like(batch.x[:, 0]),
            "optimal": torch.tanh(batch.x @ world.to(batch.x.dtype)),
        }

    def exact_scores(self) -> Mapping[str, float]:
        return {"optimal": 0.0}


class InContextRegression(sb.Task):
    """Position t shows x_t and y_{t-1} = w x_{t-1} + noise; y_t is asked for (Garg et al. 2022)."""

    name: ClassVar[str] = "in-context-regression"
    length: int = 5
    size: int = 2
    noise: float = 0.5

    @property
    def interface(self) -> sb.Interface:
        shown = sb.RealSequence(self.length, self.size + 1)
        return sb.Interface(shown, sb.Value(self.length, causal=True))

    def world(self, rng: sb.Stream) -> Tensor:
        return torch.zeros(0, device=rng.device)

    def sample(self, world: Tensor, rng: sb.Stream, size: int) -> sb.Batch:
        points, w = rng.normal((size, self.length, self.size)), rng.normal((size, 1, self.size))
        y = (points * w).sum(-1) + self.noise * rng.normal((size, self.length))
        before = torch.nn.functional.pad(y, (1, 0))[:, :-1, None]
        return sb.Batch(torch.cat([points, before], -1), y)

    def losses(self) -> Mapping[str, sb.Loss]:
        return sb.REGRESSION_LOSSES

    def score(self, output: Tensor, batch: sb.Batch) -> Mapping[str, Tensor]:
        return {"square": (output - batch.y).square().mean()}

    def references(self, world: Tensor, batch: sb.Batch) -> Mapping[str, Tensor]:
        x = batch.x.float()
        points, labels = x[:, :, :-1], x[:, :, -1]
        said = [torch.zeros_like(labels[:, 0])]
        for t in range(1, self.length):
            seen, y = points[:, :t], labels[:, 1 : t + 1, None]
            penalty = self.noise**2 * torch.eye(self.size, device=x.device)
            w = torch.linalg.solve(seen.mT @ seen + penalty, seen.mT @ y)
            said.append((points[:, t, None] @ w)[:, 0, 0])
        ridge = torch.stack(said, 1).to(batch.x.dtype)
        return {"trivial": torch.zeros_like(ridge), "optimal": ridge}

    def exact_scores(self) -> Mapping[str, float]:
        return {"trivial": self.size + self.noise**2}


class PointerRetrieval(sb.Task):
    """The first symbol points at one of the others, which is the answer (Zhang et al. 2021)."""

    name: ClassVar[str] = "pointer-retrieval"
    symbols: int = 6
    places: int = 3

    @property
    def interface(self) -> sb.Interface:
        shown = sb.Tokens(self.symbols, self.places + 1)
        return sb.Interface(shown, sb.ClassLogits(self.symbols))

    def world(self, rng: sb.Stream) -> Tensor:
        return rng.permutation(self.symbols) % self.places

    def sample(self, world: Tensor, rng: sb.Stream, size: int) -> sb.Batch:
        x = rng.integers(self.symbols, (size, self.places + 1))
        return sb.Batch(x, self.answer(world, x))

    def answer(self, world: Tensor, x: Tensor) -> Tensor:
        return x.gather(1, 1 + world[x[:, :1]])[:, 0]

    def losses(self) -> Mapping[str, sb.Loss]:
        return sb.CLASS_LOSSES

    def score(self, output: Tensor, batch: sb.Batch) -> Mapping[str, sb.Score]:
        return {"accuracy": sb.accuracy(output, batch.y)}

    def references(self, world: Tensor, batch: sb.Batch) -> Mapping[str, Tensor]:
        classes = torch.arange(self.symbols, device=batch.x.device)
        logits = 9.0 * (self.answer(world, batch.x)[:, None] == classes)
        return {"trivial": torch.zeros_like(logits), "optimal": logits}

    def exact_scores(self) -> Mapping[str, float]:
        return {"trivial": 1 / self.symbols, "optimal": 1.0}


class Spurious(sb.Task):
    """A second coordinate agrees with the label in 9 of 10 examples that are trained on."""

    name: ClassVar[str] = "spurious"
    n: int = 12

    @property
    def interface(self) -> sb.Interface:
        return sb.Interface(sb.Signs(self.n), sb.Margin())

    def world(self, rng: sb.Stream) -> Tensor:
        return rng.permutation(self.n)[:2]

    def sample(self, world: Tensor, rng: sb.Stream, size: int) -> sb.Batch:
        return self.drawn(world, rng, size, 0.9)

    def balanced(self, world: Tensor, rng: sb.Stream, size: int) -> sb.Batch:
        return self.drawn(world, rng, size, 0.5)

    def drawn(self, world: Tensor, rng: sb.Stream, size: int, agree: float) -> sb.Batch:
        x, agrees = rng.signs((size, self.n)), rng.bernoulli(agree, (size,))
        y = x[:, world[0]]
        places = torch.arange(self.n, device=x.device)
        shown = torch.where(agrees, y, -y)[:, None]
        x = torch.where(places == world[1], shown, x)
        return sb.Batch(x, y, {"minority": ~agrees})

    def test_sets(self) -> Mapping[str, sb.TestSet]:
        return {
            "balanced": sb.TestSet(sample=self.balanced),
            "as-trained": sb.TestSet(sample=self.sample),
        }

    def losses(self) -> Mapping[str, sb.Loss]:
        return sb.MARGIN_LOSSES

    def score(self, output: Tensor, batch: sb.Batch) -> dict[str, sb.Score]:
        found, minority = sb.accuracy(output, batch.y), batch.latents["minority"]
        return {
            "accuracy": found,
            "minority": sb.Mean(found.values, minority.float()),
            "majority": sb.Mean(found.values, (~minority).float()),
        }

    def aggregate(self, scores: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        worst = torch.minimum(scores["minority"], scores["majority"])
        return {"worst-group": worst, **scores}

    def references(self, world: Tensor, batch: sb.Batch) -> Mapping[str, Tensor]:
        optimal = batch.x[:, world[0]]
        return {"trivial": torch.zeros_like(optimal), "optimal": optimal}

    def exact_scores(self) -> Mapping[str, float]:
        return {"trivial": 0.5, "optimal": 1.0, "optimal@as-trained": 1.0}


class Oracle(Successor):
    """A ceiling that knows which symbols were drawn at random, and says that it is an oracle."""

    name: ClassVar[str] = "oracle"
    ceiling: ClassVar[str] = "oracle"

    def references(self, world: Tensor, batch: sb.Batch) -> Mapping[str, Tensor]:
        found = super().references(world, batch)
        known = batch.latents["at_random"][..., None]
        likely = world[batch.x][..., None] == torch.arange(self.symbols, device=world.device)
        sure = torch.log(torch.where(likely, 0.999, 0.001 / (self.symbols - 1)))
        return {
            "trivial": found["trivial"],
            "without-latents": found["optimal"],
            "oracle": torch.where(known, found["trivial"], sure.to(found["trivial"].dtype)),
        }


class BestKnown(Divided):
    """Nobody knows what can be reached: the ceiling is the best of what was fitted."""

    name: ClassVar[str] = "best-known"
    ceiling: ClassVar[str] = "best-known"

    def references(self, world, batch):
        return {"trivial": torch.zeros_like(batch.x[:, 0])}

    def fitted_references(self, train: sb.Batch):
        def nearest(x: Tensor) -> Tensor:
            distance = torch.cdist(x.float(), train.x.float(), p=1)
            return train.y[distance.argmin(1)]

        return {"nearest": nearest}

    def exact_scores(self) -> Mapping[str, float]:
        return {"trivial": 0.5}


class Curriculum(Dictator):
    """Inputs that are biased at first, by the step that training is at."""

    name: ClassVar[str] = "curriculum"
    n: int = 12

    def sample_at(self, world: Tensor, rng: sb.Stream, size: int, step: Tensor) -> sb.Batch:
        batch = self.sample(world, rng, size)
        towards = rng.bernoulli(0.5, (size, self.n)) & (step < 500)
        flipped = batch.x[:, world][:, 0] * batch.y
        x = torch.where(towards, 1.0, batch.x)
        return sb.Batch(x, x[:, world][:, 0] * flipped)


WIDER: tuple[sb.Task, ...] = (
    Divided(),
    SeveralLengths(),
    Regression(),
    InContextRegression(),
    PointerRetrieval(),
    Spurious(),
    Oracle(),
    BestKnown(),
    Curriculum(),
)
