"""A small model that keeps every law, and changes of it that each break one.

They take tokens and predict the next one, unless a fault needs another interface.
"""

from __future__ import annotations

import time
from collections import deque
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

import synthbench as sb


class SoundNetwork(nn.Module):
    """(B, T) -> (B, T, V): a linear map of the last token's embedding."""

    def __init__(self, symbols: int, answers: int) -> None:
        super().__init__()
        self.embedding = nn.Parameter(torch.randn(symbols, 4))
        self.readout = nn.Linear(4, answers)

    def hidden(self, x: Tensor) -> Tensor:
        symbols = torch.arange(self.embedding.shape[0], device=x.device)
        return (x[..., None] == symbols).to(self.embedding.dtype) @ self.embedding

    def forward(self, x: Tensor) -> Tensor:
        return self.readout(self.hidden(x))


class SoundModel(sb.Model):
    """Predicts the next token from the last one."""

    name: ClassVar[str] = "sound-model"
    inputs = (sb.Tokens,)
    outputs = (sb.TokenLogits,)
    network: ClassVar[type[SoundNetwork]] = SoundNetwork

    def build(self, interface: sb.Interface) -> nn.Module:
        return self.network(interface.input.vocabulary, interface.output.vocabulary)


class BadName(SoundModel):
    """Its name cannot be typed as one word."""

    name: ClassVar[str] = "Sound Model"


class DescribesAnother(SoundModel):
    """Its description holds another value than its field."""

    remark: str = "one"

    def describe(self) -> dict[str, object]:
        return {**super().describe(), "remark": "another"}


class NoForward(SoundModel):
    """Its module cannot be called."""

    class network(SoundNetwork):
        def forward(self, x: Tensor) -> Tensor:
            raise RuntimeError("not today")


class Pooled(SoundModel):
    """It gives one prediction for a sequence."""

    class network(SoundNetwork):
        def forward(self, x: Tensor) -> Tensor:
            return self.readout(self.hidden(x)).mean(dim=1)


class PooledPair(SoundModel):
    """It gives two tensors, neither of which predicts every token."""

    class network(SoundNetwork):
        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            hidden = self.hidden(x)
            return self.readout(hidden).mean(dim=1), hidden


class NumpyWeights(SoundModel):
    """It draws weights from numpy."""

    class network(SoundNetwork):
        def __init__(self, symbols: int, answers: int) -> None:
            super().__init__(symbols, answers)
            self.embedding.data += float(np.random.normal())


class CountsBuilds(SoundModel):
    """Its weights depend on how many were built before."""

    class network(SoundNetwork):
        built: ClassVar[int] = 0

        def __init__(self, symbols: int, answers: int) -> None:
            super().__init__(symbols, answers)
            type(self).built += 1
            self.embedding.data += type(self).built


class OneSeed(SoundModel):
    """It draws from a generator with a seed of its own."""

    class network(SoundNetwork):
        def __init__(self, symbols: int, answers: int) -> None:
            super().__init__(symbols, answers)
            rng = torch.Generator().manual_seed(0)
            for parameter in self.parameters():
                parameter.data = torch.randn(parameter.shape, generator=rng)


SHARED = torch.ones(4)


class SeedsTorch(SoundModel):
    """Its readout begins alike in every replica."""

    class network(SoundNetwork):
        def __init__(self, symbols: int, answers: int) -> None:
            super().__init__(symbols, answers)
            torch.manual_seed(0)
            self.readout = nn.Linear(4, answers)


class SharesAConstant(SoundModel):
    """One buffer for all of its modules."""

    class network(SoundNetwork):
        def __init__(self, symbols: int, answers: int) -> None:
            super().__init__(symbols, answers)
            self.register_buffer("scale", SHARED)

        def hidden(self, x: Tensor) -> Tensor:
            return super().hidden(x) * self.scale


class OwnGenerator(SoundModel):
    """It draws from a generator of NumPy's that no one seeds."""

    class network(SoundNetwork):
        def hidden(self, x: Tensor) -> Tensor:
            return super().hidden(x) * np.random.default_rng().random()


class ReadsTheClock(SoundModel):
    """Its output depends on when it is called."""

    class network(SoundNetwork):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) + time.perf_counter_ns() % 1000


class WritesIntoItsInput(SoundModel):
    """It clamps the tokens where they are."""

    class network(SoundNetwork):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x.clamp_(min=1))


class CountsCalls(SoundModel):
    """Its output depends on how often it was called."""

    class network(SoundNetwork):
        calls: ClassVar[int] = 0

        def forward(self, x: Tensor) -> Tensor:
            type(self).calls += 1
            return super().forward(x) + type(self).calls


class CentersTheBatch(SoundModel):
    """It subtracts the mean over the batch, in evaluation mode too."""

    class network(SoundNetwork):
        def hidden(self, x: Tensor) -> Tensor:
            found = super().hidden(x)
            return found - found.mean(dim=0)


class LooksAhead(SoundModel):
    """It sees the whole sequence."""

    class network(SoundNetwork):
        def hidden(self, x: Tensor) -> Tensor:
            found = super().hidden(x)
            return found + found.mean(dim=1, keepdim=True)


class OneLength(SoundModel):
    """It says that it takes shorter sequences, and has a parameter for each of seven places."""

    takes_shorter = True

    class network(SoundNetwork):
        def __init__(self, symbols: int, answers: int) -> None:
            super().__init__(symbols, answers)
            self.place = nn.Parameter(torch.randn(7, 4))

        def hidden(self, x: Tensor) -> Tensor:
            return super().hidden(x) + self.place


class AlwaysDrops(SoundModel):
    """Its dropout stays on in evaluation mode."""

    class network(SoundNetwork):
        def __init__(self, symbols: int, answers: int) -> None:
            super().__init__(symbols, answers)
            self.dropout = sb.Dropout(0.5)

        def hidden(self, x: Tensor) -> Tensor:
            self.dropout.training = True
            return self.dropout(super().hidden(x))


class OnTheCpu(SoundModel):
    """It makes a tensor without a device."""

    class network(SoundNetwork):
        def hidden(self, x: Tensor) -> Tensor:
            return super().hidden(x) + torch.zeros(4, dtype=self.embedding.dtype)


class SinglePrecision(SoundModel):
    """It always answers in single precision."""

    class network(SoundNetwork):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x).float()


class CountsInADeque(SoundModel):
    """Its count of calls is where no checkpoint finds it."""

    class network(SoundNetwork):
        def __init__(self, symbols: int, answers: int) -> None:
            super().__init__(symbols, answers)
            self.calls = deque([0])

        def forward(self, x: Tensor) -> Tensor:
            self.calls.append(self.calls.pop() + 1)
            return super().forward(x) * self.calls[0]


class DrawsAFlag(SoundModel):
    """A flag is drawn for each module, and is the same for the first two."""

    class network(SoundNetwork):
        def __init__(self, symbols: int, answers: int) -> None:
            super().__init__(symbols, answers)
            self.doubled = bool(torch.rand(()) < 0.2)

        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) * (2 if self.doubled else 1)


def is_recorded() -> bool:
    """Whether something watches every operation."""
    return torch.utils._python_dispatch._get_current_dispatch_mode() is not None


class CountsWhatIsTraced(SoundModel):
    """It computes something else while the step of more than two replicas is recorded."""

    class network(SoundNetwork):
        def forward(self, x: Tensor) -> Tensor:
            weights = self.embedding
            while torch._C._functorch.is_functorch_wrapped_tensor(weights):
                weights = torch._C._functorch.get_unwrapped(weights)
            return super().forward(x) * (2 if is_recorded() and len(weights) > 2 else 1)


class Unused(SoundModel):
    """One parameter has no part in the output."""

    class network(SoundNetwork):
        def __init__(self, symbols: int, answers: int) -> None:
            super().__init__(symbols, answers)
            self.spare = nn.Parameter(torch.randn(4))


class StrangeLoss(SoundModel):
    """Its recipe has a loss that no next-token task has."""

    recipe: sb.Recipe = sb.Recipe(loss="hinge")


class _FailsBackwards(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def setup_context(ctx: object, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        pass

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> Tensor:
        raise RuntimeError("no way back")


class NoWayBack(SoundModel):
    """Its backward pass fails."""

    class network(SoundNetwork):
        def forward(self, x: Tensor) -> Tensor:
            return _FailsBackwards.apply(super().forward(x))


PLANTED: dict[type[sb.Model], str] = {
    BadName: "name-and-docstring",
    DescribesAnother: "config-round-trips",
    NoForward: "builds",
    SeedsTorch: "builds",
    Pooled: "output-fits-interface",
    PooledPair: "output-fits-interface",
    NumpyWeights: "initialization-from-torch",
    CountsBuilds: "same-seed-same-weights",
    OneSeed: "seeds-matter",
    SharesAConstant: "builds-share-nothing",
    WritesIntoItsInput: "input-unchanged",
    CountsCalls: "forward-is-a-function",
    OwnGenerator: "forward-is-a-function",
    ReadsTheClock: "forward-is-a-function",
    CentersTheBatch: "examples-do-not-mix",
    LooksAhead: "causal",
    OneLength: "takes-shorter",
    AlwaysDrops: "no-noise-in-evaluation",
    OnTheCpu: "device-agnostic",
    SinglePrecision: "any-precision",
    NoWayBack: "trains-plain",
    CountsInADeque: "state-is-saved",
    DrawsAFlag: "stacked-equals-plain",
    CountsWhatIsTraced: "traced-equals-plain",
    Unused: "gradients-reach-every-parameter",
    StrangeLoss: "recipe-fits",
}
