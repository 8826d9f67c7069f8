"""Hidden progress: the share of the first layer that lies on the true support."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from synthbench import Probe, View
from synthbench_parity.first_layer import first_layer_name, neurons, parity_of

if TYPE_CHECKING:
    from torch import Tensor


class SupportMass(Probe):
    """Share of the squared first-layer weights, and of their movement, on the support.

    k/n where nothing points at the support; 1 where nothing else is left. The movement is the
    change since initialization; before the first step its share is undefined.
    """

    name: ClassVar[str] = "support-mass"
    paper: ClassVar[str] = "Barak et al. 2022, arXiv:2207.08799"

    def measure(self, view: View) -> Mapping[str, Tensor]:
        """`weights` and `movement`, scalars between 0 and 1."""
        n = parity_of(view).n
        name = first_layer_name(view, n)
        now, initial = neurons(view.parameters[name], n), neurons(view.initial[name], n)
        return {
            "weights": share_on(view.world, now),
            "movement": share_on(view.world, now - initial),
        }


def share_on(support: Tensor, weights: Tensor) -> Tensor:
    """Share of the squares of (neurons, n) in the columns of the support (k,)."""
    squares = weights.square().sum(dim=0)
    return squares[support].sum() / squares.sum()
