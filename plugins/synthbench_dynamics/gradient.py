"""The gradient of the training loss: how large, and how much of it is signal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from synthbench import Probe, View

if TYPE_CHECKING:
    from torch import Tensor


class Gradient(Probe):
    """Norm and signal-to-noise ratio of the gradient over fresh batches.

    With g the gradient of a batch: norm is |mean g| over the batches, snr is
    |E g|^2 / E|g - E g|^2, both parts estimated without bias, so that no signal at all scatters
    around zero. Its inverse, in batches, is the gradient noise scale of McCandlish et al. 2018
    (section 2.2).
    """

    name: ClassVar[str] = "gradient"
    paper: ClassVar[str] = "McCandlish et al. 2018, arXiv:1812.06162"

    batches: int = Field(default=16, ge=2)
    """Number of batches."""
    batch_size: int = Field(default=32, ge=1)
    """Samples in each of them."""

    def measure(self, view: View) -> Mapping[str, Tensor]:
        """Norm and snr, both scalars."""
        import torch
        from torch.func import grad

        def loss(parameters: Mapping[str, Tensor]) -> Tensor:
            batch = view.sample(self.batch_size)
            return view.loss(view.forward(parameters, batch.x), batch)

        def flat_gradient() -> Tensor:
            parts = grad(loss)(dict(view.parameters)).values()
            return torch.cat([part.flatten() for part in parts])

        gradients = torch.stack([flat_gradient() for _ in range(self.batches)])
        mean = gradients.mean(dim=0)
        noise = (gradients - mean).square().sum() / (self.batches - 1)
        signal = mean.square().sum() - noise / self.batches
        return {"norm": mean.norm(), "snr": signal / noise}
