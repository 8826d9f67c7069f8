"""The weights that read the coordinates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthbench import View
from synthbench_parity.task import SparseParity

if TYPE_CHECKING:
    from torch import Tensor


def parity_of(view: View) -> SparseParity:
    """The task, if it is one whose world is a support; ValueError otherwise."""
    if not isinstance(view.task, SparseParity):
        raise ValueError(f"it reads the support of a sparse parity; {view.task.name} has none")
    return view.task


def first_layer_name(view: View, n: int) -> str:
    """The parameter that reads the coordinates: (neurons, n), or (n,); ValueError if none does."""
    for name in view.reading_input(n):
        return name
    raise ValueError(f"no parameter of the model has a last axis of n={n} coordinates it is given")


def neurons(weight: Tensor, n: int) -> Tensor:
    """A first layer as (neurons, n)."""
    return weight.reshape(-1, n)
