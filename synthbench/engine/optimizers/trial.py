"""Whether a plugin's optimizer can be vmapped: tried on random gradients before training."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import lru_cache

import torch
from torch import Tensor

from synthbench.contracts.recipe import Optimizer, Recipe
from synthbench.engine.axis.memory import is_out_of_memory
from synthbench.engine.optimizers.replica_optimizer import ReplicaOptimizer
from synthbench.errors import ModelError, explain, first_line

Shapes = tuple[tuple[str, tuple[int, ...]], ...]
"""(name, shape) of every parameter of one replica."""

REPLICAS, STEPS = 5, 12
"""Of the trial; what an optimizer does every tenth step is seen once."""
COMPANIES = ([4, 3, 2, 1, 0], [0, 1], [1, 2, 4])
"""Other blocks, in which the trial's replicas must do the same to the bit, on CPU."""
ROUNDING = 0.05
"""Largest relative difference to pass for rounding: iterations in bfloat16 differ by 0.02."""
ROUNDING_ON_CPU = 1e-4
"""The same where nothing has to be vmapped to be fast."""


@lru_cache(maxsize=32)
def optimizer_loop_reason(
    optimizer: Optimizer, recipe: Recipe, shapes: Shapes, kind: str
) -> str | None:
    """Why the optimizer's step must be looped over replicas, or None if it is vmapped.

    kind: type of the device that trains. A vmapped step must agree with the looped one within
    rounding and, where the device is the CPU, give a replica the same bits in any company.
    Raises ModelError when it does not even work looped.
    """
    parameters, gradients = _trial(shapes)
    alone = _trained(optimizer, recipe, parameters, gradients, looped=True)
    if optimizer.looped:
        return "its class says so"
    try:
        together = _trained(optimizer, recipe, parameters, gradients, looped=False)
        if not _agree(together, alone, parameters, ROUNDING):
            return "its vmapped step does something else than its step"
        if kind == "cpu" and not _agree(together, alone, parameters, ROUNDING_ON_CPU):
            return "its vmapped step rounds differently"
        for company in COMPANIES if kind == "cpu" else ():
            own = _rows(parameters, company)
            shown = [_rows(step, company) for step in gradients]
            found = _trained(optimizer, recipe, own, shown, looped=False)
            if not all(torch.equal(t, together[name][company]) for name, t in found.items()):
                return "its vmapped step gives a replica other bits in other company"
    except Exception as error:
        if is_out_of_memory(error):
            raise
        cause = error.__cause__
        return first_line(cause if isinstance(cause, Exception) else error)
    return None


def parameter_shapes(stacked: Mapping[str, Tensor]) -> Shapes:
    """Names and shapes of one replica's parameters."""
    return tuple((name, tuple(tensor.shape[1:])) for name, tensor in stacked.items())


def _trial(shapes: Shapes) -> tuple[dict[str, Tensor], list[dict[str, Tensor]]]:
    """Stacked parameters, and gradients for some steps."""
    generator = torch.Generator().manual_seed(0)

    def draw() -> dict[str, Tensor]:
        return {n: torch.randn(REPLICAS, *shape, generator=generator) for n, shape in shapes}

    return draw(), [draw() for _ in range(STEPS)]


def _rows(stacked: Mapping[str, Tensor], replicas: list[int]) -> dict[str, Tensor]:
    return {name: tensor[replicas] for name, tensor in stacked.items()}


def _trained(
    optimizer: Optimizer,
    recipe: Recipe,
    parameters: dict[str, Tensor],
    gradients: list[dict[str, Tensor]],
    looped: bool,
) -> dict[str, Tensor]:
    stacked = {name: tensor.clone() for name, tensor in parameters.items()}
    stepper = ReplicaOptimizer(optimizer, recipe, stacked, looped)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "a replica ends")
        for step in gradients:
            for name, tensor in stacked.items():
                tensor.grad = step[name].clone()
            stepper.step()
            if stepper.failure is not None:
                hint = "; step() is called without a closure"
                raise ModelError(
                    f'optimizer "{optimizer.label()}" fails in step: {explain(stepper.failure)}'
                    f"{hint if 'closure' in str(stepper.failure) else ''}"
                ) from stepper.failure
    return stacked


def _agree(
    found: dict[str, Tensor], expected: dict[str, Tensor], start: dict[str, Tensor], rounding: float
) -> bool:
    """Whether every parameter moved by the same; rounding: relative to its movement."""
    for name, tensor in found.items():
        if not torch.equal(tensor.isnan(), expected[name].isnan()):
            return False
        moved = (expected[name] - start[name]).nan_to_num().norm()
        if (tensor - expected[name]).nan_to_num().norm() > rounding * moved + 1e-6:
            return False
    return True
