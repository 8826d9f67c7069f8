"""Scaling: how the time to target grows with the size of the problem or of the model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize
from scipy.stats import f, norm, t

from synthbench.metrics.estimate import Estimate

FLATTEST, STEEPEST = -100.0, 100.0
"""Exponents outside are taken as unbounded."""
LEAST_SPREAD = 1e-3
"""Spreads below are no estimate of chance: one seed for each size, or all seeds in one
evaluation. Then nothing bounds the exponent."""


@dataclass(frozen=True)
class PowerLaw:
    """times = coefficient * size^exponent, with log-normal spread.

    spread: standard deviation of ln(time) about the line. curvature: p-value of the power law
    against a separate mean for each size; small where no power law fits, None with two sizes.
    """

    exponent: Estimate
    coefficient: float
    spread: float
    curvature: float | None

    def predict(self, sizes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Median time at each size."""
        assert self.exponent.value is not None
        return np.asarray(self.coefficient * sizes**self.exponent.value)


def fit_power_law(
    sizes: NDArray[np.float64],
    times: NDArray[np.float64],
    solved: NDArray[np.bool_],
    confidence: float = 0.95,
) -> PowerLaw | None:
    """Fit log time against log size by maximum likelihood, censored replicas included.

    sizes, times, solved: (N,), one entry per replica over all sizes; a censored replica
    contributes the probability of lasting beyond its budget. The interval holds the exponents
    whose profile likelihood is not rejected; its threshold, N ln(1 + t^2 / (N - 2)), makes it
    Student's interval when nothing is censored. The interval is unbounded where the replicas
    lie on the line exactly. None unless replicas of at least two sizes solved the task.
    Source: Tobin 1958; Olsen 1978 (the parameters in which the likelihood is concave).
    """
    if len(np.unique(sizes[solved])) < 2:
        return None
    logs, heights = np.log(sizes), np.log(times)
    centre, level = logs.mean(), heights[solved].mean()
    x, y = logs - centre, heights - level
    ones = np.ones_like(x)
    best, (offset, slope), spread = _fit(np.stack([ones, x], axis=1), y, solved)

    freedom = len(x) - 2
    if freedom < 1 or spread < LEAST_SPREAD:
        exponent = Estimate(value=slope, low=None, high=None)
        coefficient = float(np.exp(level + offset - slope * centre))
        return PowerLaw(exponent, coefficient, spread, curvature=None)
    allowed = len(x) * np.log1p(t.ppf(0.5 + confidence / 2, freedom) ** 2 / freedom) / 2

    def lost(exponent: float) -> float:
        return best - _fit(ones[:, None], y - exponent * x, solved)[0] - float(allowed)

    return PowerLaw(
        exponent=Estimate(value=slope, low=_end(lost, slope, -1), high=_end(lost, slope, 1)),
        coefficient=float(np.exp(level + offset - slope * centre)),
        spread=spread,
        curvature=_curvature(best, logs, y, solved),
    )


def _fit(
    design: NDArray[np.float64], y: NDArray[np.float64], solved: NDArray[np.bool_]
) -> tuple[float, NDArray[np.float64], float]:
    """Log likelihood, coefficients and spread of a censored normal regression."""

    def objective(theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        # Residuals in units of the spread: with delta = beta / sigma and gamma = 1 / sigma
        # the log likelihood is concave.
        delta, gamma = theta[:-1], theta[-1]
        residual = gamma * y - design @ delta
        beyond = -residual[~solved]
        value = np.sum(np.log(gamma) - residual[solved] ** 2 / 2) + norm.logcdf(beyond).sum()
        weight = np.where(solved, residual, 0.0)
        weight[~solved] = np.exp(norm.logpdf(beyond) - norm.logcdf(beyond))
        slope = np.append(design.T @ weight, solved.sum() / gamma - weight @ y)
        return -float(value), -slope

    start, *_ = np.linalg.lstsq(design[solved], y[solved], rcond=None)
    scale = max(float(np.std(y[solved] - design[solved] @ start)), 1e-3)
    bounds = [(None, None)] * design.shape[1] + [(1e-9, 1e9)]
    found = minimize(
        objective,
        np.append(start, 1.0) / scale,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": 1000, "ftol": 1e-14, "gtol": 1e-9},
    )
    spread = 1 / float(found.x[-1])
    return -float(found.fun), found.x[:-1] * spread, spread


def _end(lost: Callable[[float], float], exponent: float, direction: int) -> float | None:
    """Where the profile likelihood falls below its threshold, in one direction."""
    reach = 0.01
    while lost(exponent + direction * reach) < 0:
        reach *= 2
        if not FLATTEST < exponent + direction * reach < STEEPEST:
            return None
    ends = sorted((exponent, exponent + direction * reach))
    return float(brentq(lost, ends[0], ends[1], xtol=1e-6))


def _curvature(
    best: float, logs: NDArray[np.float64], y: NDArray[np.float64], solved: NDArray[np.bool_]
) -> float | None:
    """p-value of the line against one mean per size that was solved.

    Likelihood ratio, referred to the F distribution that it follows when nothing is censored:
    the chi-squared one gives 20% false alarms at three sizes of two seeds.
    """
    groups = np.unique(logs[solved])
    kept = np.isin(logs, groups)
    freedom = int(kept.sum()) - len(groups)
    if len(groups) < 3 or freedom < 1:
        return None
    design = (logs[kept, None] == groups).astype(float)
    x = logs[kept] - logs.mean()
    line = best if kept.all() else _fit(np.stack([np.ones_like(x), x], 1), y[kept], solved[kept])[0]
    free, _, spread = _fit(design, y[kept], solved[kept])
    if spread < LEAST_SPREAD:
        return None
    ratio = np.expm1(2 * max(free - line, 0.0) / kept.sum()) * freedom / (len(groups) - 2)
    return float(f.sf(ratio, len(groups) - 2, freedom))
