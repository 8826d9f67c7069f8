"""What a network tells about the support: correlations of its output with single coordinates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from synthbench import Probe, View
from synthbench_parity.first_layer import parity_of

if TYPE_CHECKING:
    from torch import Tensor


class DegreeOne(Probe):
    """Degree-1 Fourier coefficients of the network's output, on the support and off it.

    `on` is the mean of |E[f(x) x_i]| over the coordinates of the support, `off` over the others
    (0 where there are none). The parity itself has neither; a network on its way to it has the
    former, which is what makes it a better teacher (Panigrahi et al. 2024). f is tanh(m/2) of the
    margin m, 2 P(+1) - 1 in the logistic model, so that the scale of margins does not
    count: `on` and `off` lie between 0 and 1. Exact, over all 2^n inputs, where n <=
    log2(samples), and over fresh samples otherwise, whose scatter adds about
    0.8 sqrt(E[f^2] / samples) where a coefficient is 0.
    """

    name: ClassVar[str] = "degree-one"
    paper: ClassVar[str] = "Panigrahi et al. 2024, arXiv:2410.05464"

    samples: int = Field(default=8192, ge=2)
    """Inputs over which correlations are averaged."""

    def measure(self, view: View) -> Mapping[str, Tensor]:
        """`on`, `off` and `contrast`, their difference; scalars."""
        import torch

        from synthbench_parity.fourier import every_input

        n = parity_of(view).n
        few = 2**n <= self.samples
        x = every_input(n, view.batch.x) if few else view.sample(self.samples).x
        f = (view.forward(view.parameters, x) / 2).tanh()
        sizes = (f @ x / x.shape[0]).abs()
        inside = (torch.arange(n, device=x.device)[:, None] == view.world).any(dim=1)
        on = sizes.where(inside, 0).sum() / inside.sum()
        off = sizes.where(~inside, 0).sum() / (~inside).sum().clamp(min=1)
        return {"on": on, "off": off, "contrast": on - off}
