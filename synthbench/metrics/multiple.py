"""Correction for multiple comparisons."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values: below alpha where rejected at family-wise error rate alpha.

    Valid whatever the dependence between the tests. Source: Holm 1979.
    """
    order = np.argsort(p_values, kind="stable")
    ascending = np.asarray(p_values, float)[order]
    scaled = ascending * np.arange(len(ascending), 0, -1)
    adjusted = np.empty(len(ascending))
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return [float(p) for p in adjusted]
