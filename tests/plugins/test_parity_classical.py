"""Classical learners of parities: formulas against published numbers, enumeration, simulation."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from synthbench.registry.registry import installed
from synthbench_parity.classical import (
    chance_of_wrong,
    exhaustive_search,
    full_rank,
    gaussian_elimination,
)


@pytest.mark.parametrize(("m", "p"), [(12, 0.289), (13, 0.578), (15, 0.880), (20, 0.996)])
def test_the_rank_of_random_matrices(m: int, p: float) -> None:
    assert full_rank(m, 12) == pytest.approx(p, abs=5e-4)
    assert gaussian_elimination(12).samples == 13


def test_without_noise_a_wrong_support_survives_m_samples_with_chance_two_to_the_minus_m() -> None:
    for m in (1, 5, 20):
        assert chance_of_wrong(m, 0.0) == pytest.approx(2.0**-m)
    # science: (C(40,3) - 1) 2^-20 = 0.0094 wrong supports are left.
    assert 9879 * chance_of_wrong(20, 0.0) == pytest.approx(0.0094, abs=5e-5)
    assert exhaustive_search(9880, 3, 0.0).samples == 15, "9,879 / 2^15 = 0.30, / 2^14 = 0.60"


def test_with_noise_the_chance_is_that_of_a_simulation() -> None:
    rng = np.random.default_rng(0)
    for m, noise in ((7, 0.1), (12, 0.3)):
        differs = rng.random((200_000, m)) < 0.5
        right_errs = rng.random((200_000, m)) < noise
        lead = np.where(differs, np.where(right_errs, -1, 1), 0).sum(axis=1)
        assert chance_of_wrong(m, noise) == pytest.approx((lead <= 0).mean(), abs=0.005)


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_the_samples_suffice_half_of_the_time(noise: float) -> None:
    """Exhaustive search, really done, on (10, 3)."""
    rng, supports = np.random.default_rng(1), list(combinations(range(10), 3))
    samples = int(exhaustive_search(len(supports), 3, noise).samples)
    found = 0
    for _ in range(200):
        x = rng.choice([-1, 1], (samples, 10))
        flips = np.where(rng.random(samples) < noise, -1, 1)
        y = x[:, supports[17]].prod(axis=1) * flips
        errors = np.array([(x[:, s].prod(axis=1) != y).sum() for s in supports])
        found += (errors == errors.min()).sum() == 1 and int(errors.argmin()) == 17
    assert found >= 100


def test_what_the_task_names() -> None:
    task = installed().task
    assert list(task("sparse-parity n=12 k=3").known_algorithms()) == [
        "exhaustive-search", "gaussian-elimination",
    ]  # fmt: skip
    assert list(task("sparse-parity n=12 k=3 noise=0.1").known_algorithms()) == [
        "exhaustive-search"
    ]
    assert task("markov").known_algorithms() == {}
    whole, blocks = (task(f"sparse-parity n=12 k=3{x}").known_algorithms()["exhaustive-search"]
                     for x in ("", " disjoint=true"))  # fmt: skip
    assert blocks.samples < whole.samples, "4^3 = 64 supports instead of 220"
