"""The weights that read the coordinates."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from synthbench import View
from synthbench_parity.task import SparseParity


def parity_of(view: View) -> SparseParity:
    """The task, if it is one whose world is a support; ValueError otherwise."""
    if not isinstance(view.task, SparseParity):
        raise ValueError(f"it reads the support of a sparse parity; {view.task.name} has none")
    return view.task


def first_layer_name(parameters: Mapping[str, Tensor], n: int) -> str:
    """The first parameter whose last axis runs over the n coordinates; ValueError if none does."""
    for name, weight in parameters.items():
        if weight.dim() >= 1 and weight.shape[-1] == n:
            return name
    raise ValueError(f"no parameter of the model has a last axis of n={n} coordinates")


def first_layer(parameters: Mapping[str, Tensor], n: int) -> Tensor:
    """Its neurons: (neurons, n)."""
    return parameters[first_layer_name(parameters, n)].reshape(-1, n)
