"""Where the spread of solving times comes from: the initialization or the data noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import f

from synthbench.metrics.estimate import Estimate


@dataclass(frozen=True)
class VarianceSplit:
    """Shares of the variance of log solving time; the three values add up to 1.

    initialization, data: what a factor explains alone, whatever the other. interaction: what
    only the combination of both explains (with one replica per combination there is no other
    residual). An estimate that comes out negative is 0.
    """

    initialization: Estimate
    data: Estimate
    interaction: float
    variance: float
    """Total variance of ln(time)."""


def split_variance(times: NDArray[np.float64], confidence: float = 0.95) -> VarianceSplit:
    """Split the variance of log solving times from a crossed design.

    times: (I, J) samples to target; initialization seed i with data seed j, every replica
    solved. A two-way random-effects analysis of variance; a share's interval is that of the
    intraclass correlation for absolute agreement, on I rows and J columns.
    Source: Searle, Casella & McCulloch 1992, chapter 4; interval: McGraw & Wong 1996, ICC(A,1).
    """
    # Relative to one of them, so that equal times leave no rounding to be split.
    logs = np.log(times / times[0, 0])
    if min(logs.shape) < 2:
        raise ValueError(f"a crossed design needs two seeds of each kind, got {logs.shape}")
    rows, columns, residual = _mean_squares(logs)
    across, down = logs.shape[1], logs.shape[0]
    init = max((rows - residual) / across, 0.0)
    data = max((columns - residual) / down, 0.0)
    total = init + data + residual
    shares = (init / total, data / total) if total > 0 else (0.0, 0.0)
    ends = (agreement_interval(logs, confidence), agreement_interval(logs.T, confidence))
    first, second = (
        Estimate(value=share, low=low, high=high)
        for share, (low, high) in zip(shares, ends, strict=True)
    )
    return VarianceSplit(first, second, 1.0 - sum(shares), total)


def _mean_squares(values: NDArray[np.float64]) -> tuple[float, float, float]:
    """Mean squares between rows, between columns, and of what is left."""
    down, across = values.shape
    mean, by_row, by_column = values.mean(), values.mean(axis=1), values.mean(axis=0)
    rows = across * np.sum((by_row - mean) ** 2) / (down - 1)
    columns = down * np.sum((by_column - mean) ** 2) / (across - 1)
    left = values - by_row[:, None] - by_column[None, :] + mean
    return float(rows), float(columns), float(np.sum(left**2) / ((down - 1) * (across - 1)))


def agreement_interval(
    values: NDArray[np.float64], confidence: float = 0.95
) -> tuple[float, float]:
    """Interval of the share of variance between the rows of a two-way table, within 0..1.

    Source: McGraw & Wong 1996, table 7, ICC(A,1); known answer: Shrout & Fleiss 1979, ICC(2,1).
    """
    n, k = values.shape
    rows, columns, residual = _mean_squares(values)
    if rows <= 0 or rows + columns + residual <= 0:
        return 0.0, 1.0
    icc = (rows - residual) / (rows + (k - 1) * residual + k * (columns - residual) / n)
    icc = float(np.clip(icc, 0.0, 1 - 1e-12))
    a = k * icc / (n * (1 - icc))
    b = 1 + k * icc * (n - 1) / (n * (1 - icc))
    weights = np.array([a * columns, b * residual])
    pieces = weights**2 / np.array([k - 1, (n - 1) * (k - 1)])
    # Satterthwaite's degrees of freedom of a * columns + b * residual.
    freedom = float(weights.sum() ** 2 / pieces.sum()) if pieces.sum() > 0 else (n - 1) * (k - 1)
    upper = f.ppf(0.5 + confidence / 2, n - 1, freedom)
    lower = f.ppf(0.5 + confidence / 2, freedom, n - 1)
    noise = k * columns + (k * n - k - n) * residual
    low = n * (rows - upper * residual) / (upper * noise + n * rows)
    high = n * (lower * rows - residual) / (noise + n * lower * rows)
    return float(np.clip(low, 0.0, 1.0)), float(np.clip(high, 0.0, 1.0))
