"""Hidden progress: the distance of the weights from their initialization."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from synthbench import Probe, View

if TYPE_CHECKING:
    from torch import Tensor


class WeightMovement(Probe):
    """||w_t - w_0|| over all parameters, in the largest-entry and the Euclidean norm.

    Barak et al. 2022 (section 5): the former grows steadily while the loss is still flat.
    """

    name: ClassVar[str] = "weight-movement"
    paper: ClassVar[str] = "Barak et al. 2022, arXiv:2207.08799"

    def measure(self, view: View) -> Mapping[str, Tensor]:
        """linf and l2 of the movement, both scalars."""
        import torch

        moved = torch.cat(
            [(now - view.initial[name]).flatten() for name, now in view.parameters.items()]
        )
        return {"linf": moved.abs().amax(), "l2": moved.norm()}
