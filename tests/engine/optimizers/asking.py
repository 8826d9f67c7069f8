"""Optimizers that ask for more than gradients, one trait each, as others publish them."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


class NoisyStep(torch.optim.Optimizer):
    """Adds a number of each shared generator to the gradient, beginning at a random place."""

    def __init__(self, parameters: list[nn.Parameter], lr: float) -> None:
        super().__init__(parameters, {"lr": lr})
        for p in parameters:
            self.state[p]["offset"] = torch.randn(p.shape)

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                noise = torch.randn(p.shape) + np.random.normal() + random.random()
                p.sub_(group["lr"] * (p.grad + noise + self.state[p]["offset"]))


class UnseededStep(NoisyStep):
    """Its numbers come from the operating system."""

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                p.sub_(group["lr"] * p.grad * np.random.default_rng().uniform())


class AveragingStep(torch.optim.Optimizer):
    """Gradient descent, judged by the mean of all weights that it went through (Polyak)."""

    def __init__(self, parameters: list[nn.Parameter], lr: float) -> None:
        super().__init__(parameters, {"lr": lr, "count": 0, "training": False})
        for p in parameters:
            self.state[p] = {"mean": torch.zeros_like(p), "trained": p.detach().clone()}

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            if not group["training"]:
                raise RuntimeError("not in train mode")
            group["count"] += 1
            for p in group["params"]:
                p.sub_(group["lr"] * p.grad)
                mean = self.state[p]["mean"]
                mean.add_((p - mean) / group["count"])

    @torch.no_grad()
    def train(self) -> None:
        """Put the weights back that are trained."""
        for group in self.param_groups:
            for p in group["params"]:
                if not group["training"]:
                    p.copy_(self.state[p]["trained"])
            group["training"] = True

    @torch.no_grad()
    def eval(self) -> None:
        """Put the mean in their place."""
        for group in self.param_groups:
            for p in group["params"]:
                if group["training"]:
                    self.state[p]["trained"] = p.clone()
                    p.copy_(self.state[p]["mean"])
            group["training"] = False


class ReadingAveragingStep(AveragingStep):
    """The same, which vmap cannot take."""

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        if all(float(p.grad.norm()) >= 0 for g in self.param_groups for p in g["params"]):
            super().step()


class SharpnessAwareStep(torch.optim.Optimizer):
    """Foret et al. 2021: the gradient is taken a little uphill, so the loss is evaluated again."""

    def __init__(self, parameters: list[nn.Parameter], lr: float) -> None:
        super().__init__(parameters, {"lr": lr})

    def step(self, closure: Callable[[], Tensor] | None = None) -> Any:  # type: ignore[override]
        if closure is None:
            raise RuntimeError("a closure is needed")
        loss = self._begin(closure)
        (group,) = self.param_groups
        uphill = [0.1 * p.grad.clone() for p in group["params"]]
        for p, offset in zip(group["params"], uphill, strict=True):
            p.add_(offset)
        closure()
        for p, offset in zip(group["params"], uphill, strict=True):
            p.sub_(offset + group["lr"] * p.grad)
        return loss

    def _begin(self, closure: Callable[[], Tensor]) -> Tensor:
        return closure()


class EvaluatedBeforeStep(SharpnessAwareStep):
    """The same; the first gradient is expected to be there, as is usual for it."""

    def _begin(self, closure: Callable[[], Tensor]) -> Tensor:
        return torch.zeros(())


class CurvatureStep(torch.optim.Optimizer):
    """The gradient over the row sums of the Hessian, which differentiates the gradient."""

    def __init__(self, parameters: list[nn.Parameter], lr: float) -> None:
        super().__init__(parameters, {"lr": lr})

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        (group,) = self.param_groups
        parameters = group["params"]
        gradients = [p.grad for p in parameters]
        ones = [torch.ones_like(p) for p in parameters]
        sums = torch.autograd.grad(gradients, parameters, grad_outputs=ones)
        with torch.no_grad():
            for p, gradient, curvature in zip(parameters, gradients, sums, strict=True):
                p.sub_(group["lr"] * gradient / (curvature.abs() + 1))


class ClosureAndCurvatureStep(CurvatureStep):
    """Both at once."""

    def step(self, closure: Callable[[], Tensor]) -> None:  # type: ignore[override]
        closure()
        super().step()


class CountingOutsideStep(torch.optim.Optimizer):
    """A decaying rate whose counter no checkpoint holds."""

    def __init__(self, parameters: list[nn.Parameter], lr: float) -> None:
        super().__init__(parameters, {"lr": lr})
        self.count = 0

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        self.count += 1
        for group in self.param_groups:
            for p in group["params"]:
                p.sub_(group["lr"] / self.count * p.grad)


class AdaptingStep(torch.optim.Optimizer):
    """Shrinks its own learning rate after every step."""

    def __init__(self, parameters: list[nn.Parameter], lr: float | None) -> None:
        super().__init__(parameters, {"lr": lr})

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            rate = 0.05 if group["lr"] is None else group["lr"]
            for p in group["params"]:
                p.sub_(rate * p.grad)
            group["lr"] = None if group["lr"] is None else 0.5 * rate


class ScaledParameter(nn.Parameter):
    """A parameter whose steps are scaled by an attribute, read at every step."""

    scale: float


class ScalingStep(torch.optim.Optimizer):
    """Gradient descent that looks at the class and an attribute of each parameter."""

    def __init__(self, parameters: list[nn.Parameter], lr: float) -> None:
        super().__init__(parameters, {"lr": lr})

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                scale = p.scale if isinstance(p, ScaledParameter) else 1.0
                p.sub_(group["lr"] * scale * p.grad)


class CompiledStep(torch.optim.Optimizer):
    """Compiles its update with a compiler that must not be called."""

    def __init__(self, parameters: list[nn.Parameter], lr: float) -> None:
        super().__init__(parameters, {"lr": lr})
        self.moved = torch.compile(_moved, backend=_refuse)

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                p.copy_(self.moved(p, p.grad, group["lr"]))


def _moved(p: Tensor, gradient: Tensor, rate: float) -> Tensor:
    return p - rate * gradient


def _refuse(*_: object) -> Any:
    raise AssertionError("compiled")
