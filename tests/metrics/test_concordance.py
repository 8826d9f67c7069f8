"""Concordance against lifelines, and what holding out replicas is for."""

from __future__ import annotations

import numpy as np
import pytest
from lifelines.utils import concordance_index

from synthbench.metrics.concordance import concordance, held_out_concordance


def draw(generator: np.random.Generator, replicas: int, link: float):
    early = np.round(generator.standard_normal(replicas), 1)
    times = np.round(100 * np.exp(0.4 * (link * early + generator.standard_normal(replicas))))
    return early, np.minimum(times, 150), times <= 150


def test_against_lifelines() -> None:
    generator = np.random.default_rng(0)
    for _ in range(20):
        early, times, happened = draw(generator, 30, 1.0)
        expected = concordance_index(times, early, happened)
        # lifelines gives ties in time half a point; here such pairs have no order to predict.
        tied = len(np.unique(times[happened])) < happened.sum()
        assert concordance(early, times, happened) == pytest.approx(
            expected, abs=0.02 if tied else 1e-12
        )


@pytest.mark.parametrize("direction", [1, -1])
def test_the_direction_is_learned(direction: int) -> None:
    early, times, happened = draw(np.random.default_rng(1), 60, 3.0)
    found = held_out_concordance(direction * early, times, happened)
    assert found.value > 0.85 and 0.7 < found.low < found.value < found.high <= 1
    assert found == held_out_concordance(direction * early, times, happened)


def test_a_probe_that_knows_nothing_is_not_better_than_chance() -> None:
    generator = np.random.default_rng(2)
    found = [held_out_concordance(*draw(generator, 40, 0.0)) for _ in range(60)]
    # Judged on the replicas it was learned on, the better direction would never be below 1/2.
    assert np.mean([estimate.value for estimate in found]) < 0.52
    assert np.mean([estimate.low > 0.5 for estimate in found]) < 0.1


def test_without_a_pair_in_order() -> None:
    assert held_out_concordance(np.arange(8.0), np.full(8, 5.0), np.zeros(8, bool)) is None
    assert concordance(np.arange(8.0), np.full(8, 5.0), np.zeros(8, bool)) is None
