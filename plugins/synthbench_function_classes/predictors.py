"""Predictions of f(x_i) from the examples before it: all take x (B, K, d) and y (B, K)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

LEAST_NOISE = 1e-10
"""Variance in place of none, so that examples that say the same twice can be inverted."""


def best_linear(covariance: Tensor, y: Tensor, noise: float) -> Tensor:
    """The prediction that is best among those linear in the y before it: (B, K).

    covariance: (B, K, K), E f(x_i) f(x_j) given the inputs, for E f = 0. It is Bayes' rule
    where f is a Gaussian process: ridge regression where f(x) = w.x. All prefixes at once: row i
    of the Cholesky factor L of the covariance of y says y_i = sum_j L_ij z_j with z of unit
    variance, and the prefix knows z_1, ..., z_{i-1}.
    """
    identity = torch.eye(y.shape[1], dtype=y.dtype, device=y.device)
    lower = torch.linalg.cholesky(covariance + max(noise, LEAST_NOISE) * identity)
    innovations = torch.linalg.solve_triangular(lower, y[..., None], upper=False)
    return (lower.tril(-1) @ innovations).squeeze(-1)


def scaled_average(x: Tensor, y: Tensor, added: float) -> Tensor:
    """x_i . sum_{j<i} x_j y_j / (k + added) after k examples: (B, K)."""
    seen = torch.arange(y.shape[1], dtype=y.dtype, device=y.device)
    alike = (x @ x.mT).tril(-1)
    return (alike @ y[..., None]).squeeze(-1) / (seen + added)


def least_squares(x: Tensor, y: Tensor, factors: Sequence[float]) -> Tensor:
    """The solution of least norm, times a factor for each number of examples: (B, K)."""
    fitted = best_linear(x @ x.mT, y, 0.0)
    return fitted * torch.tensor(factors, dtype=y.dtype, device=y.device)


def among_pool(pool: Tensor, x: Tensor, y: Tensor, noise: float) -> Tensor:
    """Bayes' rule where w is one of a pool (M, d), each as likely as another: (B, K)."""
    answers = x @ pool.mT
    fits = -(y[..., None] - answers).square() / (2 * max(noise, LEAST_NOISE))
    return ((fits.cumsum(dim=1) - fits).softmax(dim=-1) * answers).sum(dim=-1)
