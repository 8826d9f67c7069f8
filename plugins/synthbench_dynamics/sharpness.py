"""Sharpness: the largest eigenvalue of the Hessian of the training loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor
from torch.func import grad

from synthbench import Probe, View

Vector = dict[str, Tensor]


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


def power_iteration(
    product: Callable[[Vector], Vector], start: Vector, iterations: int
) -> tuple[Vector, Tensor, Tensor]:
    """The dominant eigenvector of a symmetric operator, its Rayleigh quotient, its magnitude."""
    vector, value, magnitude = unit(start), torch.zeros(()), torch.zeros(())
    for _ in range(iterations):
        image = product(vector)
        value, magnitude = dot(vector, image), dot(image, image).sqrt()
        vector = unit(image)
    return vector, value, magnitude


def dot(first: Vector, second: Vector) -> Tensor:
    """The inner product."""
    return torch.stack([(first[name] * second[name]).sum() for name in first]).sum()


def unit(vector: Vector) -> Vector:
    """The vector at length 1; zero stays zero."""
    length = dot(vector, vector).sqrt()
    length = torch.clamp(length, min=torch.finfo(length.dtype).tiny)
    return {name: part / length for name, part in vector.items()}
