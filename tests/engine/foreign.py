"""Small modules of one trait each, as people write them for a plain PyTorch loop.

All have two layers and take n signs to a margin; what is odd about one is in its forward pass
or its constructor.
"""

from __future__ import annotations

import logging
import random
import threading
from collections import namedtuple
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, prune
from torch.utils.checkpoint import checkpoint

import synthbench as sb
from tests.engine.authored import BranchingNet, ProjectedNet, SmallNet, TiedNet

Builder = Callable[[int], nn.Module]


class Round(torch.autograd.Function):
    """The sign, with a straight-through gradient; in the old style, which vmap cannot take."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return torch.where(x > 0, 1.0, -1.0)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return gradient


class StraightThrough(SmallNet):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(Round.apply(x + 0.1 * self.first.bias[: x.shape[1]].mean()))


class BackwardHook(SmallNet):
    """Halves the gradient that reaches its first layer."""

    def __init__(self, n: int) -> None:
        super().__init__(n)
        self.second.register_full_backward_hook(lambda _, inputs, __: (inputs[0] / 2,))


class ParameterHook(SmallNet):
    """A weight whose gradient is set to zero on its way."""

    def __init__(self, n: int) -> None:
        super().__init__(n)
        self.first.weight.register_hook(lambda gradient: gradient * 0)


class Checkpointed(SmallNet):
    def forward(self, x: Tensor) -> Tensor:
        hidden = checkpoint(self.first, x, use_reentrant=False)
        return self.second(torch.relu(hidden)).squeeze(-1)


class AsksForDevice(SmallNet):
    def forward(self, x: Tensor) -> Tensor:
        offset = torch.zeros(16, device=self.first.weight.device)
        return self.second(torch.relu(self.first(x) + offset)).squeeze(-1)


class ClosedForm(SmallNet):
    """Ridge regression of the hidden layer inside the forward pass."""

    def forward(self, x: Tensor) -> Tensor:
        hidden = torch.relu(self.first(x))
        gram = hidden.T @ hidden + torch.eye(16, device=self.first.weight.device)
        return hidden @ torch.linalg.solve(gram, self.second.weight[0])


class InnerGradient(SmallNet):
    """One step of descent on an energy, inside the forward pass."""

    def forward(self, x: Tensor) -> Tensor:
        x = x.clone().requires_grad_()
        (slope,) = torch.autograd.grad(super().forward(x).pow(2).sum(), x, create_graph=True)
        return super().forward(x - 0.1 * slope)


class AsksForGradients(SmallNet):
    """As implicit representations are published: coordinates are made a leaf."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.clone().detach().requires_grad_(True))


class CachedMask(SmallNet):
    """A mask made at the first call and kept in an attribute."""

    mask: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        if self.mask is None or self.mask.shape[0] != x.shape[1]:
            self.mask = torch.arange(x.shape[1], device=x.device) % 2
        return super().forward(x * self.mask)


class CachedInBuffer(SmallNet):
    """A table made at the first call and kept in a buffer that was empty."""

    def __init__(self, n: int) -> None:
        super().__init__(n)
        self.register_buffer("table", None, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        if self.table is None:
            self.register_buffer("table", torch.linspace(0, 1, x.shape[1]), persistent=False)
        return super().forward(x * self.table)


class AssignedBuffer(SmallNet):
    """Subtracts a running mean, which it puts in the place of its buffer while it trains."""

    def __init__(self, n: int) -> None:
        super().__init__(n)
        self.register_buffer("average", torch.zeros(n))

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.average = 0.9 * self.average + 0.1 * x.mean(0)
        return super().forward(x - self.average)


class PlainList(SmallNet):
    """Constants that every replica shares, in a list."""

    def __init__(self, n: int) -> None:
        super().__init__(n)
        self.scales = [torch.full((n,), 0.5), torch.ones(n)]

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x * self.scales[0] * self.scales[1])


class Captured(SmallNet):
    """A lambda that holds a layer."""

    def __init__(self, n: int) -> None:
        super().__init__(n)
        first = self.first
        self.hidden = lambda x: torch.relu(first(x))

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.hidden(x)).squeeze(-1)


class Viewed(SmallNet):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.view(-1).view(x.shape))


class Compiled(SmallNet):
    """A compiled layer inside; outside of it, `torch.compile` is taken off likewise."""

    def __init__(self, n: int) -> None:
        super().__init__(n)
        self.first = torch.compile(self.first)


class Lazy(SmallNet):
    def __init__(self, n: int) -> None:
        super().__init__(n)
        self.first = nn.LazyLinear(16)


class Locked(SmallNet):
    """Things that cannot be copied."""

    def __init__(self, n: int) -> None:
        super().__init__(n)
        self.lock, self.log = threading.Lock(), logging.getLogger(__name__)

    def forward(self, x: Tensor) -> Tensor:
        with self.lock:
            self.log.debug("called")
            return super().forward(x)


class WeightNorm(SmallNet):
    def __init__(self, n: int) -> None:
        super().__init__(n)
        self.first = nn.utils.weight_norm(self.first)


class Parametrized(SmallNet):
    def __init__(self, n: int) -> None:
        super().__init__(n)
        self.first = parametrizations.weight_norm(self.first)


class Pruned(SmallNet):
    def __init__(self, n: int) -> None:
        super().__init__(n)
        prune.l1_unstructured(self.first, "weight", 0.5)


class SpectralNorm(SmallNet):
    def __init__(self, n: int) -> None:
        super().__init__(n)
        self.first = nn.utils.spectral_norm(self.first)


class CumulativeNorm(SmallNet):
    """Batch normalization whose averages run over all that it has seen."""

    def __init__(self, n: int) -> None:
        super().__init__(n)
        self.norm = nn.BatchNorm1d(n, momentum=None)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(self.norm(x))


class Returning(SmallNet):
    """Returns its margin among other things."""

    def __init__(self, n: int, wrap: Callable[[Tensor, Tensor], Any]) -> None:
        super().__init__(n)
        self.wrap = wrap

    def forward(self, x: Tensor) -> Any:
        hidden = torch.relu(self.first(x))
        return self.wrap(self.second(hidden), hidden)


Result = namedtuple("Result", ["loss", "logits"])


def in_tuple(margin: Tensor, hidden: Tensor) -> Any:
    return margin.squeeze(-1), hidden


def in_dict(margin: Tensor, hidden: Tensor) -> Any:
    return {"hidden": hidden, "margin": margin}


def as_logits(margin: Tensor, hidden: Tensor) -> Any:
    return Result(hidden.sum(1), margin)


class MixedPrecision(SmallNet):
    """One layer in bfloat16, which its author has chosen."""

    def __init__(self, n: int) -> None:
        super().__init__(n)
        self.first.bfloat16()

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.first(x.to(self.first.weight.dtype)).float()
        return self.second(torch.relu(hidden)).squeeze(-1)


class ThroughNumPy(SmallNet):
    """A fixed feature computed by NumPy."""

    def forward(self, x: Tensor) -> Tensor:
        signs = torch.from_numpy(np.cumprod(x.detach().cpu().numpy(), axis=1)).to(x)
        return super().forward(signs)


class BooleanIndex(SmallNet):
    def forward(self, x: Tensor) -> Tensor:
        hidden = self.first(x)
        hidden = hidden.clone()
        hidden[hidden < 0] = 0.0
        return self.second(hidden).squeeze(-1) + 0 * x[x > 0].sum()


class InPlace(SmallNet):
    def forward(self, x: Tensor) -> Tensor:
        output = x.new_zeros(x.shape[0])
        output += self.second(torch.relu_(self.first(x))).squeeze(-1)
        return output


class Schedule(SmallNet):
    """Counts its calls in training; after `last` of them, returns zero."""

    def __init__(self, n: int, last: int) -> None:
        super().__init__(n)
        self.calls, self.last = 0, last

    def forward(self, x: Tensor) -> Tensor:
        self.calls += self.training
        return super().forward(x) * float(self.calls <= self.last)


class Drawing(SmallNet):
    """Skips its hidden layer at random while it trains, as drop-path and LayerDrop do."""

    def __init__(self, n: int, draw: Callable[[], float]) -> None:
        super().__init__(n)
        self.draw = draw

    def forward(self, x: Tensor) -> Tensor:
        scale = 2.0 if self.training and self.draw() < 0.5 else 1.0
        return super().forward(scale * x)


class OwnGenerator(SmallNet):
    """Noise from a generator that it has made itself."""

    def __init__(self, n: int) -> None:
        super().__init__(n)
        self.generator = torch.Generator().manual_seed(torch.initial_seed() % 2**32)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x + torch.randn(x.shape, generator=self.generator))


class Noisy(SmallNet):
    """Torch's own draws: noise, and a dropout that no module says."""

    def forward(self, x: Tensor) -> Tensor:
        hidden = torch.relu(self.first(x + 0.1 * torch.randn_like(x)))
        return self.second(nn.functional.dropout(hidden, 0.3, self.training)).squeeze(-1)


class DroppingLSTM(nn.Module):
    """Dropout between the layers of an LSTM, which is out of sight."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, 8, num_layers=2, dropout=0.3, batch_first=True)
        self.readout = nn.Linear(8, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.readout(self.lstm(x[..., None])[0][:, -1]).squeeze(-1)


def scripted(n: int) -> nn.Module:
    return torch.jit.script(nn.Sequential(nn.Linear(n, 16), nn.ReLU(), nn.Linear(16, 1)))


def half(n: int, dtype: torch.dtype = torch.float16) -> nn.Module:
    return SmallNet(n).to(dtype)


DETERMINISTIC: dict[str, Builder] = {
    "plain": SmallNet,
    "tied": TiedNet,
    "branches on a value": BranchingNet,
    "old-style function": StraightThrough,
    "backward hook": BackwardHook,
    "parameter hook": ParameterHook,
    "checkpointing": Checkpointed,
    "asks for a device": AsksForDevice,
    "closed form": ClosedForm,
    "inner gradient": InnerGradient,
    "input made a leaf": AsksForGradients,
    "cached mask": CachedMask,
    "cached in a buffer": CachedInBuffer,
    "assigned buffer": AssignedBuffer,
    "constants in a list": PlainList,
    "drawn attribute": ProjectedNet,
    "captured layer": Captured,
    "view": Viewed,
    "compiled layer": Compiled,
    "compiled": lambda n: torch.compile(SmallNet(n)),
    "data parallel": lambda n: nn.DataParallel(SmallNet(n)),
    "scripted": scripted,
    "lazy": Lazy,
    "lock": Locked,
    "weight norm": WeightNorm,
    "parametrized": Parametrized,
    "pruned": Pruned,
    "spectral norm": SpectralNorm,
    "cumulative norm": CumulativeNorm,
    "tuple": partial(Returning, wrap=in_tuple),
    "dict": partial(Returning, wrap=in_dict),
    "logits": partial(Returning, wrap=as_logits),
    "mixed precision": MixedPrecision,
    "half": half,
    "bfloat16": partial(half, dtype=torch.bfloat16),
    "double": partial(half, dtype=torch.float64),
    "NumPy": ThroughNumPy,
    "boolean index": BooleanIndex,
    "in place": InPlace,
    "schedule in an attribute": partial(Schedule, last=4),
}

DRAWING: dict[str, Builder] = {
    "Python's generator": partial(Drawing, draw=random.random),
    "NumPy's generator": partial(Drawing, draw=np.random.random),
    "LSTM with dropout": DroppingLSTM,
    "torch's functions": Noisy,
}


def model_of(builder: Builder) -> sb.Model:
    """Trained by SGD at a rate at which eight steps show."""
    return sb.as_model(lambda i: builder(i.input.shape[0]), sb.Recipe(lr=0.1), name="foreign")
