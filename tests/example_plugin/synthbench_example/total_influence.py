"""Total influence: on how many coordinates the predicted sign depends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor

from synthbench import Probe, Signs, View


class TotalInfluence(Probe):
    """The sum over coordinates of the probability that flipping one flips the predicted sign.

    It is k for a parity of k, 1 + a/2 for the multiplexer with a address bits, and 0 for a constant
    (O'Donnell 2014, Analysis of Boolean Functions, section 2.3). `total` is estimated on
    held-out inputs; `largest` is that of the most influential coordinate.
    """

    name: ClassVar[str] = "total-influence"
    paper: ClassVar[str] = "O'Donnell 2014, Analysis of Boolean Functions"

    samples: int = Field(default=64, ge=1)
    """Held-out inputs that are flipped, each in every coordinate."""

    def measure(self, view: View) -> Mapping[str, Tensor]:
        """`total` and `largest`, both scalars."""
        port = view.task.interface.input
        if not isinstance(port, Signs):
            raise ValueError(f"it flips signs; {view.task.name} has {port.describe()}")
        x = view.batch.x[: self.samples]
        found = influences(lambda flipped: view.forward(view.parameters, flipped), x)
        return {"total": found.sum(), "largest": found.max()}


def influences(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """How often flipping a coordinate of x (B, n) changes the sign of the function: (n,)."""
    size, n = x.shape
    flips = 1 - 2 * torch.eye(n, dtype=x.dtype, device=x.device)
    flipped = (x[:, None, :] * flips).reshape(size * n, n)
    before, after = function(x) >= 0, function(flipped).reshape(size, n) >= 0
    return (before[:, None] != after).to(x.dtype).mean(dim=0)
