"""Sharpness: the largest eigenvalue of the Hessian of the training loss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from synthbench import Probe, View

if TYPE_CHECKING:
    from torch import Tensor

    from synthbench_dynamics.power_iteration import Vector


class Sharpness(Probe):
    """Largest Hessian eigenvalue, by power iteration on Hessian-vector products.

    Power iteration finds the largest magnitude among the eigenvalues; as far as that belongs to
    a negative one, the Hessian is shifted by it and the iteration continued, so that the largest
    eigenvalue dominates.
    The loss is that of the recipe on one evaluation batch. Source: Cohen et al. 2021, section 2.
    """

    name: ClassVar[str] = "sharpness"
    paper: ClassVar[str] = "Cohen et al. 2021, arXiv:2103.00065"

    iterations: int = Field(default=20, ge=1)
    """Hessian-vector products in each of the two stages."""

    def measure(self, view: View) -> Mapping[str, Tensor]:
        """`top`, a scalar in units of loss per squared weight."""
        from torch.func import grad

        from synthbench_dynamics.power_iteration import dot, power_iteration, unit

        weights = dict(view.parameters)

        def loss(parameters: Vector) -> Tensor:
            return view.loss(view.forward(parameters, view.batch.x), view.batch)

        def product(vector: Vector) -> Vector:
            along: Vector = grad(lambda p: dot(grad(loss)(p), vector))(weights)
            return along

        start = {name: view.rng.normal(tuple(w.shape)).to(w.dtype) for name, w in weights.items()}
        vector, value, magnitude = power_iteration(product, start, self.iterations)
        # 0 if a positive eigenvalue dominates, -magnitude if a negative one, between on a tie.
        shift = (value - magnitude) / 2

        def shifted(vector: Vector) -> Vector:
            return {name: h - shift * vector[name] for name, h in product(vector).items()}

        # The first stage has suppressed the top eigenvector where another one dominated.
        mixed = {name: vector[name] + unit(start)[name] for name in start}
        _, top, _ = power_iteration(shifted, mixed, self.iterations)
        return {"top": top + shift}
