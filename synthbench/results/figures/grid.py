"""Where the cells of a heat map over samples begin and end."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def log_edges(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Borders (E + 1,) half-way between points (E,) in log samples."""
    if len(points) < 2:
        return np.array([points[0] / 1.05, points[0] * 1.05]) if len(points) else np.ones(1)
    middle = np.sqrt(points[1:] * points[:-1])
    return np.concatenate([[points[0] ** 2 / middle[0]], middle, [points[-1] ** 2 / middle[-1]]])
