"""Whether a plugin's optimizer can be vmapped: tried on random gradients before training."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import torch
from torch import Tensor

from synthbench.engine.memory import is_out_of_memory
from synthbench.engine.objective import explain, first_line
from synthbench.engine.replica_optimizer import ReplicaOptimizer
from synthbench.errors import ModelError
from synthbench.optimizer import Optimizer
from synthbench.recipe import Recipe

Shapes = tuple[tuple[str, tuple[int, ...]], ...]
"""(name, shape) of every parameter of one replica."""

TRIED = 5
"""Replicas and steps of the trial."""
COMPANIES = (2, 3)
"""Widths of blocks in which the trial's replicas must do the same to the bit, on CPU."""
ROUNDING = 0.05
"""Largest relative difference to pass for rounding: iterations in bfloat16 differ by 0.02."""


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
    try:
        together = _trained(optimizer, recipe, parameters, gradients, looped=False)
        if not _agree(together, alone, parameters):
            return "its vmapped step does something else than its step"
        for width in COMPANIES if kind == "cpu" else ():
            part = {name: p[:width] for name, p in parameters.items()}
            shown = [{name: g[:width] for name, g in step.items()} for step in gradients]
            fewer = _trained(optimizer, recipe, part, shown, looped=False)
            if not all(torch.equal(fewer[name], together[name][:width]) for name in fewer):
                return "its vmapped step rounds differently in other company"
    except Exception as error:
        if is_out_of_memory(error):
            raise
        return first_line(error)
    return None


def parameter_shapes(stacked: Mapping[str, Tensor]) -> Shapes:
    """Names and shapes of one replica's parameters."""
    return tuple((name, tuple(tensor.shape[1:])) for name, tensor in stacked.items())


def _trial(shapes: Shapes) -> tuple[dict[str, Tensor], list[dict[str, Tensor]]]:
    """Stacked parameters, and gradients for some steps."""
    generator = torch.Generator().manual_seed(0)

    def draw() -> dict[str, Tensor]:
        return {n: torch.randn(TRIED, *shape, generator=generator) for n, shape in shapes}

    return draw(), [draw() for _ in range(TRIED)]


def _trained(
    optimizer: Optimizer,
    recipe: Recipe,
    parameters: dict[str, Tensor],
    gradients: list[dict[str, Tensor]],
    looped: bool,
) -> dict[str, Tensor]:
    stacked = {name: tensor.clone() for name, tensor in parameters.items()}
    stepper = ReplicaOptimizer(optimizer, recipe, stacked, looped)
    try:
        for step in gradients:
            for name, tensor in stacked.items():
                tensor.grad = step[name].clone()
            stepper.step()
    except Exception as error:
        if not looped or isinstance(error, ModelError) or is_out_of_memory(error):
            raise
        raise ModelError(
            f'optimizer "{optimizer.label()}" fails in step: {explain(error)}'
        ) from error
    return stacked


def _agree(found: dict[str, Tensor], expected: dict[str, Tensor], start: dict[str, Tensor]) -> bool:
    """Whether every parameter moved by the same, within rounding."""
    for name, tensor in found.items():
        if not torch.equal(tensor.isnan(), expected[name].isnan()):
            return False
        moved = (expected[name] - start[name]).nan_to_num().norm()
        if (tensor - expected[name]).nan_to_num().norm() > ROUNDING * moved + 1e-6:
            return False
    return True
