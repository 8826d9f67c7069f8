"""Optimizers with one fault each, and the law that must find it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from pydantic import field_validator
from torch import nn

import synthbench as sb


class MomentumStep(torch.optim.Optimizer):
    """m = decay m + g; p -= lr (m + weight_decay p)."""

    def __init__(self, parameters: list[nn.Parameter], recipe: sb.Recipe, decay: float) -> None:
        settings = {"lr": recipe.lr, "weight_decay": recipe.weight_decay, "decay": decay}
        super().__init__(parameters, settings)

    def update(self, p: nn.Parameter, group: dict[str, Any]) -> torch.Tensor:
        state = self.state[p]
        state["mean"] = group["decay"] * state.get("mean", torch.zeros_like(p)) + p.grad
        return state["mean"] + group["weight_decay"] * p

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                p.add_(self.update(p, group), alpha=-group["lr"])


class SoundOptimizer(sb.Optimizer):
    """Heavy-ball momentum."""

    name: ClassVar[str] = "sound-optimizer"
    step_class: ClassVar[type[MomentumStep]] = MomentumStep

    decay: float = 0.9

    def build(self, parameters: Mapping[str, nn.Parameter], recipe: sb.Recipe) -> Any:
        return self.step_class(list(parameters.values()), recipe, self.decay)


class Undocumented(SoundOptimizer):
    name: ClassVar[str] = "bad name"


class Halving(SoundOptimizer):
    """A validator that changes what it checks."""

    @field_validator("decay")
    @classmethod
    def _half(cls, decay: float) -> float:
        return decay / 2


class LeavesOut(SoundOptimizer):
    """No optimizer for vectors."""

    def build(self, parameters, recipe):
        return MomentumStep([p for p in parameters.values() if p.ndim == 2], recipe, self.decay)


class MatricesOnly(SoundOptimizer):
    """A step that fails for vectors."""

    class Step(MomentumStep):
        def update(self, p, group):
            return torch.linalg.qr(super().update(p, group)).Q

    step_class = Step


class FailsLate(SoundOptimizer):
    """Its 20th step cannot be vmapped."""

    class Step(MomentumStep):
        def step(self, closure=None):
            self.param_groups[0]["count"] = self.param_groups[0].get("count", 0) + 1
            super().step()

        def update(self, p, group):
            size = p.grad.norm().item() if group["count"] == 20 else 1.0
            return super().update(p, group) * size

    step_class = Step


class NoisyLate(SoundOptimizer):
    """Multiplies by noise from torch's generator once the trial is over."""

    class Step(MomentumStep):
        def step(self, closure=None):
            self.param_groups[0]["count"] = self.param_groups[0].get("count", 0) + 1
            super().step()

        def update(self, p, group):
            noise = torch.randn(()) if group["count"] > 20 else 0.0
            return super().update(p, group) * (1 + 0.1 * noise)

    looped = True

    step_class = Step


class Remembering(SoundOptimizer):
    """Counts the steps of all optimizers together."""

    class Step(MomentumStep):
        count: ClassVar[list[int]] = [0]

        def step(self, closure=None):
            self.count[0] += 1
            super().step()

        def update(self, p, group):
            return super().update(p, group) / self.count[0]

    step_class = Step


class SharedMean(SoundOptimizer):
    """A running mean of the whole company, in the step's class."""

    class Step(MomentumStep):
        means: ClassVar[dict[tuple[int, ...], torch.Tensor]] = {}

        def update(self, p, group):
            key = tuple(p.shape)
            first = not self.state[p]
            shared = torch.zeros_like(p) if first else self.means.get(key, torch.zeros_like(p))
            found = super().update(p, group)
            self.means[key] = found.clone()
            return found + 0.1 * shared

    step_class = Step


class OwnRate(SoundOptimizer):
    """Does not look at the recipe's rate."""

    class Step(MomentumStep):
        def __init__(self, parameters, recipe, decay):
            super().__init__(parameters, recipe.model_copy(update={"lr": 0.01}), decay)

    step_class = Step


class DecaysAtRateZero(SoundOptimizer):
    """Weight decay that the schedule does not reach."""

    class Step(MomentumStep):
        def step(self, closure=None):
            for group in self.param_groups:
                for p in group["params"]:
                    p.mul_(1 - 0.01 * group["weight_decay"])
            super().step()

    step_class = Step


class IgnoresDecay(SoundOptimizer):
    """No weight decay, whatever the recipe says."""

    class Step(MomentumStep):
        def __init__(self, parameters, recipe, decay):
            super().__init__(parameters, recipe.model_copy(update={"weight_decay": 0.0}), decay)

    step_class = Step


class DividesByZero(SoundOptimizer):
    """g / |g|, unguarded."""

    class Step(MomentumStep):
        def update(self, p, group):
            found = super().update(p, group)
            return found / found.norm()

    step_class = Step


class AlwaysDecays(SoundOptimizer):
    """Decays weights though the recipe does not say so."""

    class Step(MomentumStep):
        def update(self, p, group):
            return super().update(p, group) + 0.1 * p

    step_class = Step


class Forgetting(SoundOptimizer):
    """A counter in an attribute, which no checkpoint holds."""

    class Step(MomentumStep):
        count = 0

        def step(self, closure=None):
            self.count += 1
            super().step()

        def update(self, p, group):
            return super().update(p, group) / self.count

    step_class = Step


class Ascending(SoundOptimizer):
    """Climbs."""

    class Step(MomentumStep):
        def update(self, p, group):
            return -super().update(p, group)

    step_class = Step


FAULTS: list[tuple[sb.Optimizer, str]] = [
    (Undocumented(), "name-and-docstring"),
    (Halving(decay=0.8), "config-round-trips"),
    (LeavesOut(), "builds"),
    (MatricesOnly(), "steps"),
    (FailsLate(), "steps"),
    (NoisyLate(), "own-random-numbers"),
    (Remembering(), "steps"),
    (SharedMean(), "replica-independence"),
    (OwnRate(), "follows-the-learning-rate"),
    (DecaysAtRateZero(), "follows-the-learning-rate"),
    (IgnoresDecay(), "follows-the-weight-decay"),
    (DividesByZero(), "zero-gradients-move-nothing"),
    (AlwaysDecays(), "zero-gradients-move-nothing"),
    (Forgetting(), "checkpoint-continues"),
    (Ascending(), "descends"),
]
