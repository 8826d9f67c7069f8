"""Tasks that use what the contract has beyond the simple case, small enough to enumerate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

import synthbench as sb


class ModularSum(sb.Task):
    """a + b mod p, of whose p^2 pairs a share is trained on and the rest is held out."""

    name: ClassVar[str] = "modular-sum"
    p: int = 7
    share: float = 0.5

    @property
    def interface(self) -> sb.Interface:
        return sb.Interface(sb.Tokens(self.p, 2), sb.ClassLogits(self.p))

    def world(self, rng: sb.Stream) -> tuple[Tensor, Tensor]:
        return rng.split(self.p**2, self.share)

    def pairs(self, rows: Tensor) -> sb.Batch:
        x = torch.stack([rows // self.p, rows % self.p], 1)
        return sb.Batch(x, x.sum(1) % self.p)

    def train_set(self, world: tuple[Tensor, Tensor]) -> sb.Batch:
        return self.pairs(world[0])

    def test_sets(self) -> Mapping[str, sb.TestSet]:
        every = torch.arange(self.p**2)
        return {
            "held-out": sb.TestSet(whole=lambda world: self.pairs(world[1])),
            "all": sb.TestSet(whole=lambda world: self.pairs(every.to(world[0].device))),
        }

    def losses(self) -> Mapping[str, sb.Loss]:
        return sb.CLASS_LOSSES

    def score(self, output: Tensor, batch: sb.Batch) -> Mapping[str, sb.Mean]:
        return {"accuracy": sb.accuracy(output, batch.y)}

    def references(self, world: object, batch: sb.Batch) -> Mapping[str, Tensor]:
        sums = batch.x.sum(1) % self.p
        one = torch.zeros_like(sums)
        return {
            "trivial": sb.one_hot(one, self.p, torch.float32),
            "optimal": 9 * sb.one_hot(sums, self.p, torch.float32),
        }

    def exact_scores(self) -> Mapping[str, float]:
        return {"optimal": 1.0, "optimal@all": 1.0, "trivial@all": 1 / self.p}


class Spurious(sb.Task):
    """y is the parity of two bits; a third agrees with it in 3 of 4 cases. Groups: agree or not."""

    name: ClassVar[str] = "spurious"
    n: int = 6
    worst_first: bool = False

    @property
    def interface(self) -> sb.Interface:
        return sb.Interface(sb.Signs(self.n), sb.Margin())

    def world(self, rng: sb.Stream) -> Tensor:
        return rng.choice(self.n - 1, 2)

    def sample(self, world: Tensor, rng: sb.Stream, size: int) -> sb.Batch:
        x = rng.signs((size, self.n))
        y = x[:, world].prod(1)
        last = torch.where(rng.bernoulli(0.5, (size,)), x[:, -1], y)
        return sb.Batch(torch.cat([x[:, :-1], last[:, None]], 1), y)

    def whole(self, world: Tensor) -> sb.Batch:
        places = torch.arange(self.n, device=world.device)
        x = 1.0 - 2 * ((torch.arange(2**self.n, device=world.device)[:, None] >> places) & 1)
        return sb.Batch(x, x[:, world].prod(1))

    def test_sets(self) -> Mapping[str, sb.TestSet]:
        return {
            "correlated": sb.TestSet(sample=self.sample),
            "uniform": sb.TestSet(whole=self.whole),
        }

    def losses(self) -> Mapping[str, sb.Loss]:
        return sb.MARGIN_LOSSES

    def score(self, output: Tensor, batch: sb.Batch) -> Mapping[str, sb.Mean]:
        right = ((output * batch.y).sign() + 1) / 2
        agrees = (batch.x[:, -1] == batch.y).to(right.dtype)
        every = torch.ones_like(right)
        return {
            "accuracy": sb.Mean(right, every),
            "majority": sb.Mean(right, agrees),
            "minority": sb.Mean(right, 1 - agrees),
            "by-place": sb.Mean(right[:, None].expand(-1, self.n), (batch.x > 0).to(right.dtype)),
        }

    def aggregate(self, scores: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        worst = {"worst-group": torch.minimum(scores["majority"], scores["minority"])}
        return {**worst, **scores} if self.worst_first else {**scores, **worst}

    def references(self, world: Tensor, batch: sb.Batch) -> Mapping[str, Tensor]:
        return {
            "trivial": torch.zeros_like(batch.y),
            "spurious": batch.x[:, -1],
            "optimal": batch.x[:, world].prod(1),
        }

    def exact_scores(self) -> Mapping[str, float]:
        first = {"trivial": 0.5, "optimal": 1.0}
        uniform = {"trivial@uniform": 0.5, "optimal@uniform": 1.0}
        spurious = (0.0, 0.0) if self.worst_first else (0.75, 0.5)
        return {**first, **uniform, "spurious": spurious[0], "spurious@uniform": spurious[1]}


class RunningParity(sb.Task):
    """The parity of all bits so far, at every position; scored at longer words too."""

    name: ClassVar[str] = "running-parity"
    length: int = 6
    longer: tuple[int, ...] = (9, 12)

    @property
    def interface(self) -> sb.Interface:
        return self.of_length(self.length)

    def of_length(self, length: int) -> sb.Interface:
        return sb.Interface(sb.Tokens(2, length), sb.TokenLogits(2, length))

    def world(self, rng: sb.Stream) -> Tensor:
        return torch.zeros(0, device=rng.device)

    def words(self, rng: sb.Stream, size: int, length: int) -> sb.Batch:
        x = rng.bits((size, length))
        return sb.Batch(x, x.cumsum(1) % 2)

    def sample(self, world: Tensor, rng: sb.Stream, size: int) -> sb.Batch:
        return self.words(rng, size, self.length)

    def test_sets(self) -> Mapping[str, sb.TestSet]:
        return {
            f"length-{length}": sb.TestSet(
                sample=lambda world, rng, size, length=length: self.words(rng, size, length),
                interface=self.of_length(length),
            )
            for length in (self.length, *self.longer)
        }

    def losses(self) -> Mapping[str, sb.Loss]:
        return sb.NEXT_TOKEN_LOSSES

    def score(self, output: Tensor, batch: sb.Batch) -> Mapping[str, Tensor | sb.Mean]:
        right = (output.argmax(-1) == batch.y).double()
        return {"accuracy": right.mean(), "at": right.mean(0)}

    def references(self, world: Tensor, batch: sb.Batch) -> Mapping[str, Tensor]:
        parity = batch.x.cumsum(1) % 2
        flat = sb.one_hot(torch.zeros_like(parity), 2, torch.float32)
        return {"trivial": flat, "optimal": 9 * sb.one_hot(parity, 2, torch.float32)}

    def exact_scores(self) -> Mapping[str, float]:
        sets = ["", *(f"@length-{length}" for length in self.longer)]
        return {f"{name}{at}": value for at in sets for name, value in
                (("trivial", 0.5), ("optimal", 1.0))}  # fmt: skip


class Rotated(sb.Task):
    """A curriculum: until `change` the label is the first bit, then that of two bits."""

    name: ClassVar[str] = "rotated"
    n: int = 4
    change: int = 3

    @property
    def interface(self) -> sb.Interface:
        return sb.Interface(sb.Signs(self.n), sb.Margin())

    def world(self, rng: sb.Stream) -> Tensor:
        return torch.zeros(0, device=rng.device)

    def sample(self, world: Tensor, rng: sb.Stream, size: int) -> sb.Batch:
        x = rng.signs((size, self.n))
        return sb.Batch(x, x[:, 0] * x[:, 1])

    def sample_at(self, world: Tensor, rng: sb.Stream, size: int, step: Tensor) -> sb.Batch:
        hard = self.sample(world, rng, size)
        return hard._replace(y=torch.where(step < self.change, hard.x[:, 0], hard.y))

    def losses(self) -> Mapping[str, sb.Loss]:
        return sb.MARGIN_LOSSES

    def score(self, output: Tensor, batch: sb.Batch) -> Mapping[str, Tensor]:
        return {"accuracy": (((output * batch.y).sign() + 1) / 2).mean()}

    def references(self, world: Tensor, batch: sb.Batch) -> Mapping[str, Tensor]:
        return {"trivial": torch.zeros_like(batch.y), "optimal": batch.x[:, 0] * batch.x[:, 1]}

    def exact_scores(self) -> Mapping[str, float]:
        return {"trivial": 0.5, "optimal": 1.0}


class Blobs(sb.Task):
    """Points around class centres; the best known classifier stands in for the optimum."""

    name: ClassVar[str] = "blobs"
    ceiling: ClassVar[str] = "best-known"
    libraries: ClassVar[tuple[str, ...]] = ("scikit-learn",)
    rows: int = 30
    measured: Literal["accuracy", "error"] = "accuracy"

    @property
    def interface(self) -> sb.Interface:
        return sb.Interface(sb.Reals(2), sb.ClassLogits(3))

    def world(self, rng: sb.Stream) -> dict[str, Tensor]:
        y = rng.integers(3, (200,))
        centres = torch.tensor([[0.0, 2.0], [2.0, -1.0], [-2.0, -1.0]], device=rng.device)
        return {"x": centres[y] + 1.2 * rng.normal((200, 2)), "y": y}

    def train_set(self, world: dict[str, Tensor]) -> sb.Batch:
        return sb.Batch(world["x"][: self.rows], world["y"][: self.rows])

    def test_sets(self) -> Mapping[str, sb.TestSet]:
        return {
            "rest": sb.TestSet(
                whole=lambda world: sb.Batch(world["x"][self.rows :], world["y"][self.rows :])
            )
        }

    def losses(self) -> Mapping[str, sb.Loss]:
        return sb.CLASS_LOSSES

    def score(self, output: Tensor, batch: sb.Batch) -> Mapping[str, sb.Mean]:
        return {"accuracy": sb.accuracy(output, batch.y)}

    def references(self, world: object, batch: sb.Batch) -> Mapping[str, Tensor]:
        return {"trivial": torch.zeros(batch.x.shape[0], 3, device=batch.x.device)}

    def fitted_references(self, train: sb.Batch) -> Mapping[str, object]:
        return sb.fitted_classifiers(train, 3)

    def exact_scores(self) -> Mapping[str, float]:
        return {}


class Pairs(nn.Module):
    """Two symbols -> logits of the classes."""

    def __init__(self, interface: sb.Interface) -> None:
        super().__init__()
        symbols = interface.input.vocabulary
        self.read = nn.Embedding(symbols, 16)
        self.out = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, symbols))

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.read(x).flatten(1))


class Recurrent(nn.Module):
    """A token at a time, of sequences of any length."""

    def __init__(self) -> None:
        super().__init__()
        self.read = nn.Embedding(2, 8)
        self.cell = nn.Linear(16, 8)
        self.out = nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        state, outputs = torch.zeros(x.shape[0], 8), []
        for place in range(x.shape[1]):
            seen = self.read(x[:, place])
            state = torch.tanh(self.cell(torch.cat([seen, state], 1)))
            outputs.append(self.out(state))
        return torch.stack(outputs, 1)


class Points(nn.Module):
    """Two numbers -> logits of three classes."""

    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.out(x)
