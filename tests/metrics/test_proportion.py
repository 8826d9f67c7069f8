"""The Wilson interval against its formula."""

import math

import pytest

from synthbench.metrics.proportion import success_rate


@pytest.mark.parametrize(("solved", "replicas"), [(0, 10), (8, 10), (32, 32), (11, 24)])
def test_wilson_formula(solved: int, replicas: int) -> None:
    z, p, n = 1.959963984540054, solved / replicas, replicas
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    rate = success_rate(solved, replicas)
    assert rate.value == p
    assert rate.low == pytest.approx(max(centre - half, 0), abs=1e-12)
    assert rate.high == pytest.approx(min(centre + half, 1), abs=1e-12)
