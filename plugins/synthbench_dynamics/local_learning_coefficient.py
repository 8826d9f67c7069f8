"""The local learning coefficient: how many directions in weight space the loss really feels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, model_validator

from synthbench import Probe, View

if TYPE_CHECKING:
    from torch import Tensor


class LocalLearningCoefficient(Probe):
    """Local learning coefficient of the training loss at the weights w*, by Langevin dynamics.

    With L the loss on fresh batches, chains begin in w* and follow (SGLD, Welling & Teh 2011)

        w <- w - (e / 2) (n_beta grad L(w) + gamma (w - w*)) + N(0, e),

    whose density is near exp(-n_beta L(w) - gamma |w - w*|^2 / 2). Then llc = n_beta E[L(w) -
    L(w*)], where both losses are those of one batch that w has not yet seen. At a minimum of an
    analytic loss, without gamma and as n_beta grows, it is the coefficient: d / 2 if the Hessian
    has full rank d, less where directions are degenerate.

    What is measured at finite settings: if L(w) = L(w*) + sum_i h_i u_i^2 / 2, then
    llc = sum_i n_beta h_i / (2 p_i (1 - e p_i / 4)) with p_i = n_beta h_i + gamma, once chains
    have forgotten their start at the rate 1 - e p_i / 2 a step, and as far as the noise of a
    batch's gradient stays below that of the chain: e n_beta^2 var(grad) / (4 batch_size) << 1.
    So directions count that are steeper than gamma / n_beta. Where w* is no minimum, the loss
    falls along the chains, and llc may be negative. Source: Lau et al. 2023, section 4; along
    training: Hoogland et al. 2024.
    """

    name: ClassVar[str] = "local-learning-coefficient"
    paper: ClassVar[str] = "Lau et al. 2023, arXiv:2308.12108; Hoogland et al. 2024, 2402.02364"

    n_beta: float = Field(default=50.0, gt=0)
    """Inverse temperature: what the loss is multiplied by."""
    gamma: float = Field(default=50.0, ge=0)
    """Localization: the strength of the spring that holds the chains at w*."""
    step_size: float = Field(default=1e-3, gt=0)
    """e: variance of the noise of a step."""
    chains: int = Field(default=4, ge=2)
    """Independent chains, on the same batches."""
    steps: int = Field(default=80, ge=1)
    """Steps of each chain."""
    burn_in: int = Field(default=40, ge=0)
    """First steps that are left out of the mean."""
    batch_size: int = Field(default=32, ge=1)
    """Fresh samples at every step."""

    @model_validator(mode="after")
    def _something_is_left(self) -> LocalLearningCoefficient:
        if self.steps < self.burn_in + 2:
            raise ValueError(
                f"steps must be at least burn_in + 2 = {self.burn_in + 2}, got {self.steps}"
            )
        return self

    def measure(self, view: View) -> Mapping[str, Tensor]:
        """`llc`; `error`, its standard error over chains; `drift`; `loss`, L(w*).

        drift: the mean over the second half of what is kept less that over the first, in units
        of llc; away from 0 the chains have not settled.
        """
        from synthbench_dynamics.langevin import Langevin

        sampler = Langevin(self.n_beta, self.gamma, self.step_size, self.chains)
        losses = sampler.losses(view, self.steps, self.batch_size)
        rise = self.n_beta * (losses.along - losses.at_start[:, None])[self.burn_in :]
        by_chain, half = rise.mean(dim=0), len(rise) // 2
        return {
            "llc": by_chain.mean(),
            "error": by_chain.std() / self.chains**0.5,
            "drift": rise[-half:].mean() - rise[:half].mean(),
            "loss": losses.at_start.mean(),
        }
