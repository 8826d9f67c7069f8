"""What is reported of a model and not judged: what only costs speed, and what is allowed."""

from __future__ import annotations

import random
import threading

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import synthbench as sb
from synthbench.testing import check_model
from synthbench.testing.workbench.example_inputs import example_interfaces
from tests.engine.authored import Branching, Normalized, WrongShape
from tests.testing.models.few import few
from tests.testing.models.planted import SoundModel, SoundNetwork, is_recorded

__all__ = ["few"]


class PythonNoise(SoundModel):
    """It skips at random, by Python's generator, while it trains."""

    class network(SoundNetwork):
        def hidden(self, x: Tensor) -> Tensor:
            skipped = self.training and random.random() < 0.3
            return super().hidden(x) * (0.1 if skipped else 1)


class NumpyNoise(SoundModel):
    """It is scaled by NumPy's generator while it trains."""

    class network(SoundNetwork):
        def hidden(self, x: Tensor) -> Tensor:
            return super().hidden(x) * (np.random.rand() if self.training else 1)


class Counts(SoundModel):
    """It counts its calls in an attribute, which matters."""

    class network(SoundNetwork):
        calls = 0

        def forward(self, x: Tensor) -> Tensor:
            self.calls += self.training
            return super().forward(x) / (1 + self.calls)


class AssignsABuffer(SoundModel):
    """It puts a new tensor in its buffer's place while it trains."""

    class network(SoundNetwork):
        def __init__(self, symbols: int, answers: int) -> None:
            super().__init__(symbols, answers)
            self.register_buffer("average", torch.zeros(4))

        def hidden(self, x: Tensor) -> Tensor:
            found = super().hidden(x)
            if self.training:
                self.average = 0.9 * self.average + 0.1 * found.detach().mean((0, 1))
            return found - self.average


class KeepsAnAttribute(SoundModel):
    """A tensor that is drawn for each module is neither parameter nor buffer."""

    class network(SoundNetwork):
        def __init__(self, symbols: int, answers: int) -> None:
            super().__init__(symbols, answers)
            self.offset = torch.randn(4)

        def hidden(self, x: Tensor) -> Tensor:
            return super().hidden(x) + self.offset.to(x.device, self.embedding.dtype)


class HasALock(SoundModel):
    """It cannot be copied."""

    class network(SoundNetwork):
        def __init__(self, symbols: int, answers: int) -> None:
            super().__init__(symbols, answers)
            self.lock = threading.Lock()


class KnowsAboutVmap(SoundModel):
    """It computes something else under vmap."""

    class network(SoundNetwork):
        def forward(self, x: Tensor) -> Tensor:
            stacked = torch._C._functorch.is_functorch_wrapped_tensor(self.embedding)
            return super().forward(x) * (2 if stacked else 1)


class KnowsThatItIsTraced(SoundModel):
    """It computes something else while a step is recorded."""

    class network(SoundNetwork):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) * (2 if is_recorded() else 1)


class ReturnsMore(SoundModel):
    """Its output is one of two tensors."""

    class network(SoundNetwork):
        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            hidden = self.hidden(x)
            return self.readout(hidden), hidden


class Drops(SoundModel):
    """Its dropout is torch's."""

    class network(SoundNetwork):
        def hidden(self, x: Tensor) -> Tensor:
            return nn.functional.dropout(super().hidden(x), 0.5, self.training)


class Encoder(SoundModel):
    """It has an encoder of torch's, which asks for the autocast of its device."""

    class network(SoundNetwork):
        def __init__(self, symbols: int, answers: int) -> None:
            super().__init__(symbols, answers)
            self.encoder = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)

        def hidden(self, x: Tensor) -> Tensor:
            later = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool, device=x.device).triu(1)
            return self.encoder(super().hidden(x), later)


WAYS: dict[type[sb.Model], str] = {
    Branching: "plain: ",
    AssignsABuffer: "plain: stacked, it has another buffer average",
    PythonNoise: "plain: its forward pass draws from a global generator",
    NumpyNoise: "plain: its forward pass draws from a global generator",
    Counts: "plain: its forward pass changes the attribute calls",
    KeepsAnAttribute: "plain: stacked, it has another loss",
    HasALock: "plain: ",
    KnowsAboutVmap: "plain: stacked, it has another loss",
    KnowsThatItIsTraced: "stacked: stacked, it has another loss",
    WrongShape: "traced",
    ReturnsMore: "traced",
    Drops: "traced",
    Encoder: "traced",
}
"""Models that break no law -> how their replicas are trained, and why no faster."""


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize(("model", "way"), WAYS.items(), ids=[model.__name__ for model in WAYS])
def test_what_only_costs_speed_is_said_and_breaks_no_law(model: type[sb.Model], way: str) -> None:
    # On one of its interfaces: what it does is the same on the others.
    report = check_model(model(), example_interfaces(model())[:1])
    assert report.facts["replicas"].startswith(way)


@pytest.mark.usefixtures("few")
def test_a_model_that_normalizes_its_batch_says_so() -> None:
    mixes = check_model(Normalized(), example_interfaces(Normalized())[:1]).facts[
        "in training mode"
    ]
    assert mixes == "the examples of a batch influence one another"
