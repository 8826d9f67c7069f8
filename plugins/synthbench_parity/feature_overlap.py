"""Hidden progress: how well single neurons align with the support."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from synthbench import Probe, View
from synthbench_parity.first_layer import first_layer_name, neurons, parity_of

if TYPE_CHECKING:
    from torch import Tensor


class FeatureOverlap(Probe):
    """Cosine between a first-layer neuron's absolute weights and the support's indicator.

    1 for a neuron that weighs the k relevant coordinates alike and reads nothing else. `best` is
    the largest over the neurons, `mean` their average.
    """

    name: ClassVar[str] = "feature-overlap"
    paper: ClassVar[str] = "Barak et al. 2022, arXiv:2207.08799"

    def measure(self, view: View) -> Mapping[str, Tensor]:
        """`best` and `mean`, scalars between 0 and 1."""
        task = parity_of(view)
        weights = neurons(view.parameters[first_layer_name(view, task.n)], task.n)
        cosines = overlaps(view.world, weights)
        return {"best": cosines.max(), "mean": cosines.mean()}


def overlaps(support: Tensor, weights: Tensor) -> Tensor:
    """(neurons, n) -> (neurons,); a neuron without weights has overlap 0."""
    sizes = weights.abs()
    along = sizes[:, support].sum(dim=1) / support.shape[0] ** 0.5
    return along / sizes.norm(dim=1).clamp(min=1e-30)
