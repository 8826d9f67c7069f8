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


class ProjectedNet(SmallNet):
    """Keeps a random tensor where stacking cannot find it."""

    def __init__(self, n: int) -> None:
        super().__init__(n)
        self.projection = torch.randn(n)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x * self.projection)


class Projected(Plain):
    """A network whose replicas would all share the first one's attribute."""

    name: ClassVar[str] = "projected"

    def build(self, interface: sb.Interface) -> nn.Module:
        return ProjectedNet(interface.input.shape[0])


class AveragedNet(SmallNet):
    """Assigns to a buffer instead of writing into it."""

    def __init__(self, n: int) -> None:
        super().__init__(n)
        self.register_buffer("average", torch.zeros(n))

    def forward(self, x: Tensor) -> Tensor:
        self.average = 0.9 * self.average + 0.1 * x.mean(0)
        return super().forward(x - self.average)


class Averaged(Plain):
    """A network whose buffer would silently stay at its initial value."""

    name: ClassVar[str] = "averaged"

    def build(self, interface: sb.Interface) -> nn.Module:
        return AveragedNet(interface.input.shape[0])


class TiedNet(nn.Module):
    """Two layers with one weight."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.first, self.second, self.third = (nn.Linear(n, n), nn.Linear(n, n), nn.Linear(n, 1))
        self.second.weight = self.first.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.third(torch.relu(self.second(torch.relu(self.first(x))))).squeeze(-1)


class Tied(Plain):
    """A network with tied weights."""

    name: ClassVar[str] = "tied"
    recipe: sb.Recipe = sb.Recipe(lr=0.1, batch_size=32, clip=0.5)

    def build(self, interface: sb.Interface) -> nn.Module:
        return TiedNet(interface.input.shape[0])


class FussyNet(SmallNet):
    """Raises on NaN, as a Python branch on data may."""

    def forward(self, x: Tensor) -> Tensor:
        output = super().forward(x)
        int(output.abs().max().item())
        return output


class Fussy(Exploding):
    """A network that must be looped and dies on NaN, for a few of its initializations."""

    name: ClassVar[str] = "fussy"

    def build(self, interface: sb.Interface) -> nn.Module:
        net = super().build(interface)
        fussy = FussyNet(interface.input.shape[0])
        fussy.load_state_dict(net.state_dict())
        return fussy


class ScaledNet(SmallNet):
    """With a scalar among its parameters."""

    def __init__(self, n: int, dtype: torch.dtype) -> None:
        super().__init__(n)
        self.scale = nn.Parameter(torch.ones((), dtype=dtype))

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * self.scale.real


class Scaled(Plain):
    """A network with a scalar among its parameters, real or complex."""

    name: ClassVar[str] = "scaled"
    recipe: sb.Recipe = sb.Recipe(lr=0.1, batch_size=32, clip=0.5)
    complex: bool = False

    def build(self, interface: sb.Interface) -> nn.Module:
        dtype = torch.complex64 if self.complex else torch.float32
        return ScaledNet(interface.input.shape[0], dtype)


class Seeding(Plain):
    """Seeds torch itself, after the first layer or before it."""

    name: ClassVar[str] = "seeding"
    late: bool = True

    def build(self, interface: sb.Interface) -> nn.Module:
        if not self.late:
            torch.manual_seed(0)
        net = SmallNet(interface.input.shape[0])
        if self.late:
            torch.manual_seed(0)
            net.second = nn.Linear(16, 1)
        return net


class NaNProbe(sb.Probe):
    """Undefined, and destructive if it could be."""

    name: ClassVar[str] = "nan"

    def measure(self, view: sb.View) -> dict[str, Tensor]:
        for parameter in view.parameters.values():
            parameter.mul_(0)
        view.batch.x.mul_(0)
        return {"value": next(iter(view.parameters.values())).sum() * torch.nan}


class BrokenProbe(sb.Probe):
    """Returns what is not a tensor."""

    name: ClassVar[str] = "broken"

    def measure(self, view: sb.View) -> dict[str, Tensor]:
        return {"value": 3.0}


class UncastNet(SmallNet):
    """Computes in float32 whatever autocast says."""

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(x)


class Uncast(Plain):
    """A network that switches autocast off."""

    name: ClassVar[str] = "uncast"

    def build(self, interface: sb.Interface) -> nn.Module:
        return UncastNet(interface.input.shape[0])


class Inner(Plain):
    """A module class of its own for every replica."""

    name: ClassVar[str] = "inner"

    def build(self, interface: sb.Interface) -> nn.Module:
        class Net(SmallNet):
            pass

        return Net(interface.input.shape[0])


class Forgetful(Plain):
    """A look-up that fails with no more than a key."""

    name: ClassVar[str] = "forgetful"
    where: str = "build"

    def build(self, interface: sb.Interface) -> nn.Module:
        return ForgetfulNet({"build": 0}[self.where] or interface.input.shape[0])


class ForgetfulNet(SmallNet):
    """Looks up a key that is not there."""

    def forward(self, x: Tensor) -> Tensor:
        return {}["width"]
