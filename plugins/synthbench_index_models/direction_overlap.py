"""Weak recovery: how well first-layer weights align with the hidden directions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from synthbench import Probe, View
from synthbench_index_models.task import IndexModel

if TYPE_CHECKING:
    from torch import Tensor


class DirectionOverlap(Probe):
    """Cosine between a first-layer neuron's weights and the span of the hidden directions.

    `best` is the largest over the neurons, `mean` their average; in d dimensions a random neuron
    has about sqrt(r/d). `mass` is the share of all squared weights in the span, r/d at random and
    1 where the network reads nothing else; `direction-i` is the largest |cosine| of a neuron
    with u_i alone, which shows in which order directions are found. An overlap that no longer
    falls with d is weak recovery (Ben Arous, Gheissari & Jagannath 2021).
    """

    name: ClassVar[str] = "direction-overlap"
    paper: ClassVar[str] = "Ben Arous et al. 2021, arXiv:2003.10409"

    def measure(self, view: View) -> Mapping[str, Tensor]:
        """`best`, `mean`, `mass` and one `direction-i` for each direction, between 0 and 1."""
        task = view.task
        if not isinstance(task, IndexModel):
            raise ValueError(f"it reads the directions of an index model; {task.name} has none")
        weights = view.parameters[first_layer_name(view, task.d)].reshape(-1, task.d)
        along = weights @ view.world.to(weights.dtype).T
        sizes = weights.norm(dim=1).clamp(min=1e-30)
        inside = along.norm(dim=1) / sizes
        single = (along.abs() / sizes[:, None]).max(dim=0).values
        return {
            "best": inside.max(),
            "mean": inside.mean(),
            "mass": along.square().sum() / weights.square().sum().clamp(min=1e-30),
            **{f"direction-{i}": cosine for i, cosine in enumerate(single.unbind(), start=1)},
        }


def first_layer_name(view: View, d: int) -> str:
    """The parameter that reads x: (neurons, d), or (d,); ValueError if none does."""
    for name in view.reading_input(d):
        return name
    raise ValueError(f"no parameter of the model has a last axis of d={d} dimensions it is given")
