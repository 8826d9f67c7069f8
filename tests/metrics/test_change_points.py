"""Number and place of transitions, on trajectories with known stages and noise."""

from __future__ import annotations

import numpy as np
import pytest

from synthbench.metrics.change_points import find_stages
from synthbench.plan.schedule import evaluation_steps

SAMPLES = np.array(evaluation_steps(20_000, 0.05), float) * 32
LOG = np.log10(np.maximum(SAMPLES, 1))
DRAWS, RIGHT = 100, 95


def rise(at: float, slowness: float) -> np.ndarray:
    """Logistic in log samples; from 10% to 90% over 4.4 `slowness` decades."""
    return 1 / (1 + np.exp(-(LOG - at) / slowness))


NARROW = {
    "never": (0 * LOG, 0),
    "step": ((LOG >= 4) * 1.0, 1),
    "sharp": (rise(4, 0.02), 1),
    "sigmoid": (rise(4, 0.1), 1),
    "ramp of half a decade": (np.clip((LOG - 3.8) / 0.5, 0, 1), 1),
    "two stages": (0.4 * rise(3, 0.05) + 0.6 * rise(4.5, 0.05), 2),
    "two steps": (0.5 * (LOG >= 3.5) + 0.5 * (LOG >= 4.5), 2),
    "a small stage first": (0.15 * (LOG >= 3) + 0.85 * (LOG >= 4.5), 2),
    "uniform, unigram, bigram, trigram": (
        0.2 * rise(2.5, 0.03) + 0.3 * rise(3.7, 0.05) + 0.5 * rise(5, 0.03), 3,
    ),
    "relapse and recovery": ((LOG >= 4) * 1.0 - 0.5 * ((LOG > 4.5) & (LOG < 5)), 2),
}  # fmt: skip
WIDE = {
    "sigmoid over a decade": (rise(4, 0.25), 1),
    "ramp of a decade": (np.clip(LOG - 3.5, 0, 1), 1),
    "ramp of two decades": (np.clip((LOG - 3) / 2, 0, 1), 1),
}
CASES = [(name, noise) for name in NARROW for noise in (0.01, 0.02, 0.03)]
CASES += [(name, noise) for name in WIDE for noise in (0.01, 0.02)]


@pytest.mark.parametrize(("name", "noise"), CASES)
def test_the_number_of_transitions_in_noisy_draws(name: str, noise: float) -> None:
    truth, count = (NARROW | WIDE)[name]
    generator = np.random.default_rng(0)
    right = sum(
        len(find_stages(SAMPLES, truth + noise * generator.standard_normal(len(LOG))).transitions)
        == count
        for _ in range(DRAWS)
    )
    assert right >= RIGHT


def test_where_and_how_high() -> None:
    generator = np.random.default_rng(1)
    truth = 0.4 * rise(3, 0.03) + 0.6 * rise(4.5, 0.03)
    for _ in range(20):
        found = find_stages(SAMPLES, truth + 0.02 * generator.standard_normal(len(LOG)))
        assert found.levels == pytest.approx((0, 0.4, 1), abs=0.03)
        assert np.log10(found.transitions) == pytest.approx((3, 4.5), abs=0.03)
        assert found.relapses == ()


def test_a_fall_is_a_relapse_and_not_a_transition() -> None:
    found = find_stages(SAMPLES, (LOG >= 3.5) * 1.0 - 0.6 * (LOG >= 4.5))
    assert len(found.transitions) == 1 and found.levels == pytest.approx((0, 1, 0.4), abs=0.02)
    assert np.log10(found.relapses) == pytest.approx((4.5,), abs=0.03)


def test_noise_that_stays_the_same_for_a_while() -> None:
    # Held-out samples are the same at every point, so the error drifts instead of jumping.
    generator, right = np.random.default_rng(2), 0
    for _ in range(DRAWS):
        noise = generator.standard_normal(len(LOG))
        for index in range(1, len(noise)):
            noise[index] = 0.8 * noise[index - 1] + 0.6 * noise[index]
        right += len(find_stages(SAMPLES, rise(4, 0.05) + 0.02 * noise).transitions) == 1
    assert right >= RIGHT


def test_short_and_broken_trajectories() -> None:
    assert find_stages(SAMPLES[:1], np.zeros(1)).transitions == ()
    assert find_stages(SAMPLES[:3], np.array([0.0, 0.5, 1.0])).transitions == ()
    assert find_stages(SAMPLES, np.full(len(LOG), np.nan)).levels == (0.0,)
    blown = np.where(LOG > 4.5, np.nan, (LOG >= 3.5) * 1.0)
    assert len(find_stages(SAMPLES, blown).transitions) == 1
