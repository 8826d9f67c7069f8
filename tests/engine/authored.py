"""Models as a plugin author would write them, for tests that need a particular behaviour."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

import synthbench as sb


class SmallNet(nn.Module):
    """Ordinary single-replica PyTorch."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.first = nn.Linear(n, 16)
        self.second = nn.Linear(16, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(torch.relu(self.first(x))).squeeze(-1)


class Plain(sb.Model):
    """A network that vmap takes."""

    name: ClassVar[str] = "plain"
    inputs = (sb.Signs,)
    outputs = (sb.Margin,)
    recipe: sb.Recipe = sb.Recipe(lr=0.1, batch_size=32)

    def build(self, interface: sb.Interface) -> nn.Module:
        return SmallNet(interface.input.shape[0])


class BranchingNet(SmallNet):
    """The same function, with a Python branch on data that vmap cannot take."""

    def forward(self, x: Tensor) -> Tensor:
        output = super().forward(x)
        return output if output.sum().item() < float("inf") else output * 0


class Branching(Plain):
    """A network that must be looped."""

    name: ClassVar[str] = "branching"

    def build(self, interface: sb.Interface) -> nn.Module:
        return BranchingNet(interface.input.shape[0])


class Exploding(Plain):
    """A network that overflows for a few of its initializations: soon, or from the start."""

    name: ClassVar[str] = "exploding"
    factor: float = 1e37

    def build(self, interface: sb.Interface) -> nn.Module:
        net = SmallNet(interface.input.shape[0])
        unlucky = torch.rand(()) < 0.3
        if unlucky:
            with torch.no_grad():
                net.second.weight.mul_(self.factor)
        return net


class RandomNet(SmallNet):
    """Draws noise in its forward pass."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + torch.randn(())


class Random(Plain):
    """A network whose result would depend on its neighbours."""

    name: ClassVar[str] = "random"

    def build(self, interface: sb.Interface) -> nn.Module:
        return RandomNet(interface.input.shape[0])


class CountingNet(SmallNet):
    """Behaves differently at every call."""

    calls = 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return super().forward(x) * self.calls


class Counting(Plain):
    """A network whose forward pass is not a function of its parameters and input."""

    name: ClassVar[str] = "counting"

    def build(self, interface: sb.Interface) -> nn.Module:
        return CountingNet(interface.input.shape[0])


class WrongShape(Plain):
    """A network that returns (B, 1) where (B,) is wanted."""

    name: ClassVar[str] = "wrong-shape"

    def build(self, interface: sb.Interface) -> nn.Module:
        return nn.Linear(interface.input.shape[0], 1)


class Normalized(Plain):
    """A network with batch normalization: buffers that change while it trains."""

    name: ClassVar[str] = "normalized"

    def build(self, interface: sb.Interface) -> nn.Module:
        (n,) = interface.input.shape
        return nn.Sequential(
            nn.Linear(n, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 1), nn.Flatten(0)
        )


class FrozenNet(SmallNet):
    """Trains the second layer only."""

    def __init__(self, n: int) -> None:
        super().__init__(n)
        self.first.requires_grad_(False)


class Frozen(Plain):
    """A network with parameters that must not move, weight decay or not."""

    name: ClassVar[str] = "frozen"
    recipe: sb.Recipe = sb.Recipe(lr=0.1, batch_size=32, weight_decay=0.1)

    def build(self, interface: sb.Interface) -> nn.Module:
        return FrozenNet(interface.input.shape[0])
