"""Power iteration on a symmetric operator over named tensors."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Vector = dict[str, Tensor]


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
