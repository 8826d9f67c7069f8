"""Optimizers as a plugin author would write them, for tests that need a particular behaviour."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

import synthbench as sb
from synthbench.plan.cell import Cell


class NormalizedStep(torch.optim.Optimizer):
    """Every tensor moves by the same norm: p -= lr m / |m|, with m a running mean."""

    def __init__(self, parameters: list[nn.Parameter], lr: float, decay: float) -> None:
        super().__init__(parameters, {"lr": lr, "decay": decay})

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                if not state:
                    state["mean"] = torch.zeros_like(p)
                state["mean"] = group["decay"] * state["mean"] + p.grad
                p.add_(state["mean"] / (state["mean"].norm() + 1e-12), alpha=-group["lr"])


class Normalized(sb.Optimizer):
    """Not elementwise, and vmap takes it."""

    name: ClassVar[str] = "normalized"
    decay: float = 0.9

    def build(
        self, parameters: Mapping[str, nn.Parameter], recipe: sb.Recipe
    ) -> torch.optim.Optimizer:
        return NormalizedStep(list(parameters.values()), recipe.lr, self.decay)


class ReadingStep(NormalizedStep):
    """The same, with a Python branch on numbers that vmap cannot take."""

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        if all(float(p.grad.norm()) >= 0 for g in self.param_groups for p in g["params"]):
            super().step()


class Reading(Normalized):
    """Must be looped."""

    name: ClassVar[str] = "reading"

    def build(
        self, parameters: Mapping[str, nn.Parameter], recipe: sb.Recipe
    ) -> torch.optim.Optimizer:
        return ReadingStep(list(parameters.values()), recipe.lr, self.decay)


class ReplacingStep(torch.optim.Optimizer):
    """Puts new tensors in the parameters' places."""

    def __init__(self, parameters: list[nn.Parameter], lr: float) -> None:
        super().__init__(parameters, {"lr": lr})

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                p.data = p.data - group["lr"] * p.grad


class WhiteningStep(torch.optim.Optimizer):
    """G -> (G G^T)^(-1/2) G by a decomposition, which refuses a batch with one NaN in it."""

    def __init__(self, parameters: list[nn.Parameter], lr: float) -> None:
        super().__init__(parameters, {"lr": lr})

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                g = p.grad if p.ndim == 2 else p.grad[:, None]
                values, vectors = torch.linalg.eigh(g @ g.T + 1e-3 * torch.eye(len(g)))
                update = vectors @ torch.diag(values.rsqrt()) @ vectors.T @ g
                p.add_(update.reshape(p.shape), alpha=-group["lr"])


class StepCountingStep(torch.optim.Optimizer):
    """Keeps a counter of its own in each kind of place that torch's optimizers use."""

    def __init__(self, parameters: list[nn.Parameter], lr: float) -> None:
        super().__init__(parameters, {"lr": lr, "count": 0})

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            group["count"] += 1
            for p in group["params"]:
                state = self.state[p]
                state["tensor"] = state.get("tensor", torch.zeros(())) + 1
                state["int"] = state.get("int", 0) + 1
                total = group["count"] + state["int"] + float(state["tensor"])
                p.add_(p.grad, alpha=-group["lr"] / total)


class LookaheadStep(torch.optim.Optimizer):
    """Zhang et al. 2019: every sixth step half-way back to weights copied when built."""

    def __init__(self, parameters: list[nn.Parameter], lr: float) -> None:
        super().__init__(parameters, {"lr": lr, "count": 0})
        for p in parameters:
            self.state[p]["slow"] = p.detach().clone()

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            group["count"] += 1
            for p in group["params"]:
                p.sub_(group["lr"] * p.grad)
                if group["count"] % 6 == 0:
                    p.copy_(self.state[p]["slow"].lerp_(p, 0.5))


class AnchoredStep(torch.optim.Optimizer):
    """A weak pull to where it began: held in `state`, in `param_groups` or in an attribute."""

    def __init__(self, parameters: list[nn.Parameter], lr: float, place: str) -> None:
        super().__init__(parameters, {"lr": lr})
        self.place = place
        self.anchors = [p.detach().clone() for p in parameters] if place == "attribute" else []
        if place == "group":
            self.param_groups[0]["anchors"] = [p.detach().clone() for p in parameters]
        if place == "number":
            self.param_groups[0]["size"] = float(parameters[0].detach().norm())

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        group = self.param_groups[0]
        for i, p in enumerate(group["params"]):
            anchor = {"attribute": self.anchors, "group": group.get("anchors", [])}.get(self.place)
            pull = p - anchor[i] if anchor else group.get("size", 0.0) * torch.ones_like(p)
            p.sub_(group["lr"] * (p.grad + 1e-6 * pull))


class LateStep(torch.optim.Optimizer):
    """Reads a number in step 20, when the trial is over."""

    def __init__(self, parameters: list[nn.Parameter], lr: float) -> None:
        super().__init__(parameters, {"lr": lr, "count": 0})

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            group["count"] += 1
            for p in group["params"]:
                size = p.grad.norm().item() if group["count"] == 20 else 1.0
                p.sub_(group["lr"] * p.grad / (1 + size))


class StumblingStep(torch.optim.Optimizer):
    """Raises where the first weight is above 1000."""

    def __init__(self, parameters: list[nn.Parameter], lr: float) -> None:
        super().__init__(parameters, {"lr": lr})

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                if p.flatten()[0] > 1000:
                    raise ArithmeticError("too large")
                p.sub_(group["lr"] * p.grad)


Build = Callable[[Mapping[str, nn.Parameter], sb.Recipe], Any]


def optimizer(build: Build, name: str = "made") -> sb.Optimizer:
    """An optimizer whose `build` is the function."""

    def method(self: object, parameters: Mapping[str, nn.Parameter], recipe: sb.Recipe) -> Any:
        return build(parameters, recipe)

    kind = type("Made", (sb.Optimizer,), {"name": name, "build": method, "__module__": __name__})
    return kind()


def torch_optimizer(kind: type[torch.optim.Optimizer], **options: object) -> sb.Optimizer:
    """Any torch optimizer over all parameters."""
    return optimizer(lambda p, recipe: kind(list(p.values()), lr=recipe.lr, **options))


def with_optimizer(cell: Cell, chosen: sb.Optimizer, **fields: object) -> Cell:
    """The cell with that optimizer, and other fields of its recipe."""
    recipe = cell.model.recipe.model_copy(update={"optimizer": chosen, **fields})
    return replace(cell, model=cell.model.model_copy(update={"recipe": recipe}))


def step_one(steppers: list[torch.optim.Optimizer], gradients: dict[str, Tensor],
             parameters: dict[str, nn.Parameter]) -> None:  # fmt: skip
    """A step of one replica by hand."""
    for name, parameter in parameters.items():
        parameter.grad = gradients[name].clone()
    with torch.no_grad():
        for stepper in steppers:
            stepper.step()
