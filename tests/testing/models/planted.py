"""A small model that keeps every law, and changes of it that each break one.

They take tokens and predict the next one, unless a fault needs another interface.
"""

from __future__ import annotations

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


class NumpyNoise(SoundModel):
    """It draws numbers from NumPy's generator."""

    class network(SoundNetwork):
        def hidden(self, x: Tensor) -> Tensor:
            return super().hidden(x) * np.random.rand()


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


class KeepsAnAttribute(SoundModel):
    """It keeps a tensor that is drawn for each module outside parameters and buffers."""

    class network(SoundNetwork):
        def __init__(self, symbols: int, answers: int) -> None:
            super().__init__(symbols, answers)
            self.offset = torch.randn(4)

        def hidden(self, x: Tensor) -> Tensor:
            return super().hidden(x) + self.offset.to(x.device, self.embedding.dtype)


class KnowsAboutVmap(SoundModel):
    """It computes something else under vmap."""

    class network(SoundNetwork):
        def forward(self, x: Tensor) -> Tensor:
            traced = torch._C._functorch.is_batchedtensor(self.embedding)
            return super().forward(x) * (2 if traced else 1)


class Unused(SoundModel):
    """One parameter has no part in the output."""

    class network(SoundNetwork):
        def __init__(self, symbols: int, answers: int) -> None:
            super().__init__(symbols, answers)
            self.spare = nn.Parameter(torch.randn(4))


class StrangeLoss(SoundModel):
    """Its recipe has a loss that no next-token task has."""

    recipe: sb.Recipe = sb.Recipe(loss="hinge")


class AsksWhetherItIsTraced(SoundModel):
    """It computes something else while a step is recorded."""

    class network(SoundNetwork):
        def forward(self, x: Tensor) -> Tensor:
            traced = torch.fx.experimental.proxy_tensor.get_proxy_mode() is not None
            return super().forward(x) * (2 if traced else 1)


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
    Pooled: "output-fits-interface",
    NumpyWeights: "initialization-from-torch",
    CountsBuilds: "same-seed-same-weights",
    OneSeed: "seeds-matter",
    SeedsTorch: "builds",
    SharesAConstant: "builds-share-nothing",
    NumpyNoise: "forward-draws-from-torch",
    WritesIntoItsInput: "input-unchanged",
    CountsCalls: "forward-is-a-function",
    CentersTheBatch: "examples-do-not-mix",
    LooksAhead: "causal",
    OneLength: "takes-shorter",
    AlwaysDrops: "no-noise-in-evaluation",
    OnTheCpu: "device-agnostic",
    SinglePrecision: "any-precision",
    KeepsAnAttribute: "state-in-tensors",
    NoWayBack: "vmaps-or-loops",
    KnowsAboutVmap: "vmapped-equals-looped",
    AsksWhetherItIsTraced: "traced-equals-called",
    Unused: "gradients-reach-every-parameter",
    StrangeLoss: "recipe-fits",
}
