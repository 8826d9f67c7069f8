"""Where the first layer looks: at the core feature or at the spurious one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from synthbench import Probe, View
from synthbench_spurious.task import SpuriousFeatures

if TYPE_CHECKING:
    from torch import Tensor


class FeatureWeight(Probe):
    """Share of the squared first-layer weights on the coordinates of each feature.

    core/n and spurious/n where nothing points at either; both shares and that of all other
    coordinates sum to 1. That the share of the spurious feature need not fall while the core one
    is learned is the paper's point (section 4: spurious features are not forgotten).
    """

    name: ClassVar[str] = "feature-weight"
    paper: ClassVar[str] = "Qiu, Kuang and Goel 2024, arXiv:2403.03375"

    def measure(self, view: View) -> Mapping[str, Tensor]:
        """`core` and `spurious`, scalars between 0 and 1."""
        if not isinstance(view.task, SpuriousFeatures):
            raise ValueError(
                f"it reads the coordinates of spurious-features; {view.task.name} has none"
            )
        squares = sum(w.square().sum(dim=0) for w in first_layer(view, view.task.n))
        core, spurious = (squares[places].sum() / squares.sum() for places in view.world)
        return {"core": core, "spurious": spurious}


def first_layer(view: View, n: int) -> list[Tensor]:
    """All weights that read the coordinates, each (neurons, n); ValueError if there are none."""
    found = [view.parameters[name].reshape(-1, n) for name in view.reading_input(n)]
    if not found:
        raise ValueError(f"no parameter of the model has a last axis of n={n} coordinates it reads")
    return found
