"""What predictors of w.x score after k examples, exactly, in units of E (w.x)^2.

For any w whose coordinates are uncorrelated, of equal variance v and of mean 0: errors of
predictors that are linear in y depend on nothing else. q: variance of the noise over v.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

AfterExamples = Callable[[int, int, float], float]
"""A quantity after k examples in d dimensions, with noise q."""


def added(d: int, q: float) -> float:
    """a, for which sum x_j y_j / (k + a) is the best multiple of sum x_j y_j: d + 1 + q.

    E |sum x_j y_j|^2 = (k (k + d + 1) + k q) |w|^2 for isotropic w, since E (x.w)^2 x x' is
    |w|^2 + 2 w w'.
    """
    return d + 1 + q


def average(k: int, d: int, q: float) -> float:
    """1 - k / (k + a): the scaled average of x_j y_j, one step of gradient descent from 0."""
    return 1 - k / (k + added(d, q))


def least_squares_factor(k: int, d: int, q: float) -> float:
    """The best factor for the least-squares solution after k examples.

    Within three of d its error has no variance where there is noise, and the factor is 0.
    """
    if not q:
        return 1.0
    if abs(k - d) <= 3:
        return 0.0
    return 1 / (1 + q / (abs(k - d) - 1))


def least_squares(k: int, d: int, q: float) -> float:
    """1 - min(1, k / d) times the factor: the mean of an inverse Wishart is known."""
    return 1 - min(1.0, k / d) * least_squares_factor(k, d, q)


@cache
def ridge(k: int, d: int, q: float) -> float:
    """E tr (I + X'X / q)^-1 / d, X (k, d) standard normal: Bayes' rule for Gaussian w."""
    from synthbench_function_classes.wishart import wishart_mean

    if not q:
        return max(0.0, 1 - k / d)
    shrunk = wishart_mean(lambda eigenvalues: q / (q + eigenvalues), k, d)
    return (max(0, d - k) + shrunk) / d
