"""Hidden progress: whether the largest coordinates of the gradient are the support."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from synthbench import Probe, View
from synthbench_parity.population_gradient import population_gradient

if TYPE_CHECKING:
    from torch import Tensor


class GradientSupport(Probe):
    """Share of the support among the k coordinates in which the gradient is largest.

    With a Fourier gap, the k largest coordinates of the population gradient are the support, and
    a single step on a batch that is large enough shows them (Barak et al. 2022, section 4).
    `single` is the mean over the neurons of the first layer; `pooled` counts a coordinate by
    the norm of its gradient over all of them. Coordinates that tie across the k-th place are not
    found. The gradient is that of the recipe's loss without label noise; exact, over
    all 2^n inputs, where n <= log2(samples), and over one batch of so many fresh samples
    otherwise. Guessing finds k/n.
    """

    name: ClassVar[str] = "gradient-support"
    paper: ClassVar[str] = "Barak et al. 2022, arXiv:2207.08799"

    samples: int = Field(default=4096, ge=1)
    """Inputs over which the gradient is averaged: the batch of the step."""

    def measure(self, view: View) -> Mapping[str, Tensor]:
        """`pooled` and `single`, scalars between 0 and 1."""
        from synthbench_parity.fourier import found_by_size

        gradient = population_gradient(view, self.samples)
        return {
            "pooled": found_by_size(view.world, gradient.norm(dim=0, keepdim=True)).mean(),
            "single": found_by_size(view.world, gradient.abs()).mean(),
        }
