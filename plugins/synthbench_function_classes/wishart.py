"""Expectations over the eigenvalues of X'X for a standard normal X, by quadrature."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

NODES = 256
BEYOND = 9.0
"""How far past the typical largest singular value the density is followed."""


def wishart_mean(f: Callable[[Array], Array], rows: int, columns: int) -> float:
    """E sum_i f(lambda_i) over the m = min(rows, columns) nonzero eigenvalues of X'X.

    Their density is proportional to |prod_{i<j} (l_i - l_j)| prod_i w(l_i), with
    w(l) = l^((|rows - columns| - 1) / 2) e^(-l / 2). By de Bruijn (1955) the mean of prod g(l_i)
    is proportional to the Pfaffian of A_ij(g) = int int sgn(y - x) p_i(x) p_j(y) w w g(x) g(y),
    for any polynomials p_i of degree i < m, bordered by int p_i w g if m is odd. With g = 1 + t f
    the derivative at t = 0 is tr(A^-1 A') / 2. Numbers are good to about ten digits for smooth f.
    """
    if not min(rows, columns):
        return 0.0
    points, weights, basis, signs = _skew_products(rows, columns)
    values = f(points)
    once = basis * weights
    twice = (once * values) @ signs @ once.T
    plain, changed = once @ signs @ once.T, twice - twice.T
    if len(basis) % 2:
        plain = _bordered(plain, once.sum(axis=1))
        changed = _bordered(changed, (once * values).sum(axis=1))
    return float(np.trace(np.linalg.solve(plain, changed)) / 2)


@cache
def _skew_products(rows: int, columns: int) -> tuple[Array, Array, Array, Array]:
    """Points l = s^2 (N,), weights (N,), functions p_i w (m, N), and the matrix of sgn(y - x)."""
    few, many = sorted((rows, columns))
    nodes, weights = _quadrature()
    half = (few**0.5 + many**0.5 + BEYOND) / 2
    s = half * (nodes + 1)
    log_weight = (many - few) * np.log(s) - s**2 / 2
    return s**2, half * weights, _basis(s**2, np.exp(log_weight - log_weight.max()), few), _signs()


@cache
def _quadrature() -> tuple[Array, Array]:
    """Gauss-Legendre nodes and weights on (-1, 1)."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    return nodes, weights


def _basis(points: Array, first: Array, count: int) -> Array:
    """An orthonormal basis of w, l w, ..., l^(m-1) w, by Arnoldi's iteration: (m, N)."""
    found = [first / np.linalg.norm(first)]
    for _ in range(count - 1):
        new = points * found[-1] / points.max()
        for _ in range(2):
            new = new - sum((new @ old) * old for old in found)
        found.append(new / np.linalg.norm(new))
    return np.stack(found)


@cache
def _signs() -> Array:
    """S such that u' diag(w) S diag(w) v = int int sgn(y - x) u(x) v(y), w the weights: (N, N).

    v is integrated from a node to the end as the polynomial through its values at the nodes.
    """
    legendre = np.polynomial.legendre
    nodes, _ = _quadrature()
    degrees = np.arange(NODES)
    at_nodes = legendre.legvander(nodes, NODES)
    above = np.roll(at_nodes, -1, axis=1)[:, :-1]
    below = np.concatenate([np.full((NODES, 1), -1.0), at_nodes[:, :-2]], axis=1)
    # int_x^1 P_n = (P_{n-1}(x) - P_{n+1}(x)) / (2 n + 1), with -P_{-1} = 1 for n = 0.
    tails = np.where(degrees == 0, 1 - nodes[:, None], (below - above) / (2 * degrees + 1))
    project = (2 * degrees[:, None] + 1) / 2 * at_nodes[:, :-1].T
    sign: Array = 2 * tails @ project - 1
    return sign


def _bordered(matrix: Array, edge: Array) -> Array:
    """One more row and column, so that the matrix stays skew."""
    framed = np.zeros((len(edge) + 1, len(edge) + 1))
    framed[:-1, :-1] = matrix
    framed[:-1, -1], framed[-1, :-1] = edge, -edge
    return framed
