"""The size of the weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from synthbench import Probe, View


class WeightNorm(Probe):
    """Euclidean norm of all parameters together, and of each by its name."""

    name: ClassVar[str] = "weight-norm"

    def measure(self, view: View) -> Mapping[str, Tensor]:
        """`total`, and one scalar for each parameter."""
        norms = {name: now.norm() for name, now in view.parameters.items()}
        return {"total": torch.stack(list(norms.values())).norm(), **norms}
