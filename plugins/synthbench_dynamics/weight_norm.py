"""The size of the weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from synthbench import Probe, View

if TYPE_CHECKING:
    from torch import Tensor


class WeightNorm(Probe):
    """Euclidean norm of all parameters together, and of each by its name."""

    name: ClassVar[str] = "weight-norm"

    def measure(self, view: View) -> Mapping[str, Tensor]:
        """`total`, and one scalar for each parameter."""
        import torch

        norms = {name: now.norm() for name, now in view.parameters.items()}
        return {"total": torch.stack(list(norms.values())).norm(), **norms}
