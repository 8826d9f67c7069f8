"""Hidden progress: the Fourier gap of the first layer's population gradient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from synthbench import Probe, View
from synthbench_parity.population_gradient import population_gradient

if TYPE_CHECKING:
    from torch import Tensor


class FourierGap(Probe):
    """How clearly the gradient tells the coordinates of the support from the others.

    The gap of a neuron is the smallest gradient on the support minus the largest off it, in
    absolute value: for a ReLU neuron under the correlation loss, the difference of the Fourier
    coefficients of its gate at degrees k - 1 and k + 1 (Barak et al. 2022, section 4). `gap` is the
    mean over neurons, `share` of them have a positive one, and `mass` is the share of the squared
    gradient on the support. The gradient is that of the recipe's loss without label noise; exact,
    over all 2^n inputs, where n <= log2(samples), and over fresh samples otherwise, whose
    scatter then widens what lies off the support.
    """

    name: ClassVar[str] = "fourier-gap"
    paper: ClassVar[str] = "Barak et al. 2022, arXiv:2207.08799"

    samples: int = Field(default=4096, ge=2)
    """Inputs over which the gradient is averaged."""

    def measure(self, view: View) -> Mapping[str, Tensor]:
        """`gap`, `share` and `mass`, scalars."""
        from synthbench_parity.fourier import fourier_gaps

        sizes = population_gradient(view, self.samples).abs()
        gaps = fourier_gaps(view.world, sizes)
        return {
            "gap": gaps.mean(),
            "share": (gaps > 0).to(sizes.dtype).mean(),
            "mass": sizes[:, view.world].square().sum() / sizes.square().sum(),
        }
