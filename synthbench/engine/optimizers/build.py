"""Optimizers, learning-rate schedules and clipping for stacked parameters.

SGD, Adam and AdamW act on each element alone, so one optimizer over stacked tensors steps
every replica exactly as its own optimizer would; a plugin's gets the replica axis added.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, optim
from torch.optim import SGD, Adam, AdamW

from synthbench.contracts.recipe import Optimizer, Recipe
from synthbench.engine.optimizers.owners import Owners
from synthbench.engine.optimizers.replica_optimizer import ReplicaOptimizer
from synthbench.engine.optimizers.trial import optimizer_needs
from synthbench.engine.optimizers.trial_steps import parameter_shapes


def build_optimizer(
    recipe: Recipe,
    stacked: Mapping[str, Tensor],
    owners: Owners | None = None,
    keys: Tensor | None = None,
) -> optim.Optimizer:
    """The recipe's optimizer over stacked parameters (R, ...) by name.

    owners, keys: as for `ReplicaOptimizer`; the core's own optimizers need neither.
    """
    if isinstance(recipe.optimizer, Optimizer):
        device = next(iter(stacked.values())).device.type
        shapes = parameter_shapes(stacked)
        needs = optimizer_needs(recipe.optimizer, recipe, shapes, device, owners)
        return ReplicaOptimizer(recipe.optimizer, recipe, stacked, needs, owners, keys)
    parameters = _groups(recipe, list(stacked.values()))
    if recipe.optimizer == "sgd":
        return SGD(
            parameters,
            lr=recipe.lr,
            momentum=recipe.momentum,
            nesterov=recipe.nesterov,
            weight_decay=recipe.weight_decay,
            foreach=True,
        )
    kind = Adam if recipe.optimizer == "adam" else AdamW
    return kind(
        parameters,
        lr=recipe.lr,
        betas=(recipe.beta1, recipe.beta2),
        eps=recipe.eps,
        weight_decay=recipe.weight_decay,
        foreach=True,
    )


def _groups(recipe: Recipe, stacked: Sequence[Tensor]) -> list[dict[str, Any]]:
    """Parameter groups with their weight decay; a stacked matrix has three axes."""
    if recipe.decayed == "all":
        return [{"params": list(stacked)}]
    matrices = [p for p in stacked if p.dim() >= 3]
    others = [p for p in stacked if p.dim() < 3]
    groups: list[dict[str, Any]] = [
        {"params": matrices},
        {"params": others, "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


def learning_rate_factor(recipe: Recipe, steps: int) -> Callable[[int], float]:
    """Multiplier of `lr` for the update after `step` finished ones, over a budget of `steps`."""
    warmup, final = recipe.warmup, recipe.lr_final

    def decayed(step: int) -> float:
        if recipe.schedule == "constant":
            return 1.0
        if recipe.schedule == "inverse-sqrt":
            # Continuous with the warm-up; without one, the decay begins at the first step.
            reference = max(warmup, 1)
            return math.sqrt(reference / max(step, reference))
        if recipe.schedule == "warmup-stable-decay":
            length = max(1, round(recipe.decay * steps))
            progress = (step - (steps - length)) / length
            return 1 - (1 - final) * min(max(progress, 0.0), 1.0)
        progress = min(max(step - warmup, 0) / max(steps - warmup, 1), 1.0)
        remaining = 1 - progress if recipe.schedule == "linear" else _half_cosine(progress)
        return final + (1 - final) * remaining

    return lambda step: min(1.0, (step + 1) / warmup if warmup else 1.0) * decayed(step)


def _half_cosine(progress: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * progress))


@torch.no_grad()
def clip_per_replica(parameters: Sequence[Tensor], largest: float) -> None:
    """Scale each replica's gradient to a global norm of at most `largest`.

    parameters: tensors (R, ...) with gradients. The rule of
    `torch.nn.utils.clip_grad_norm_`, one replica at a time.
    """
    gradients = [p.grad for p in parameters if p.grad is not None]
    scale = clip_scale([g.reshape(g.shape[0], -1).square().sum(1) for g in gradients], largest)
    for parameter in parameters:
        # Out of place: two parameters may share one gradient tensor.
        if parameter.grad is not None:
            shape = (-1, *[1] * (parameter.dim() - 1))
            parameter.grad = parameter.grad * scale.reshape(shape)


def clip_scale(squares: Sequence[Tensor], largest: float) -> Tensor:
    """What to multiply gradients by; squares: of each parameter's gradient norm, (R,) or ()."""
    norms = torch.stack(list(squares)).sum(0).sqrt()
    return torch.clamp(largest / (norms + 1e-6), max=1.0)
