"""Solving linear systems, and the factorizations for it.

Source: LAPACK Working Note 41, appendix C, of which the terms of highest order count. Iterations
(eigenvalues, singular values, matrix functions) and QR count nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import torch
from torch import Tensor

aten: Any = torch.ops.aten


def _substitution(matrix: Tensor, solution: Tensor) -> int:
    """n^2 for every vector of the solution of triangular systems (..., n, n)."""
    return matrix.shape[-1] * solution.numel()


def _triangular(arguments: tuple[Any, ...], solution: Tensor) -> int:
    return _substitution(arguments[0], solution)


def _factored(arguments: tuple[Any, ...], solution: Tensor) -> int:
    """Two triangular systems."""
    return 2 * _substitution(arguments[0], solution)


def _thirds(count: int) -> Callable[[tuple[Any, ...], Any], int]:
    """count n^3 / 3."""

    def factorization(arguments: tuple[Any, ...], output: Any) -> int:
        *systems, size, _ = arguments[0].shape
        flops: int = count * prod(systems) * size**3 // 3
        return flops

    return factorization


def _solved(arguments: tuple[Any, ...], output: Any) -> int:
    """The factorization, and two triangular systems."""
    return _thirds(2)(arguments, output) + _factored(arguments, output[0])


LINEAR_ALGEBRA = {
    aten.linalg_solve_triangular: _triangular,
    aten.linalg_cholesky_ex: _thirds(1),
    aten.linalg_lu_factor_ex: _thirds(2),
    aten.linalg_lu_solve: _factored,
    aten.linalg_inv_ex: _thirds(6),
    aten._linalg_solve_ex: _solved,
}
