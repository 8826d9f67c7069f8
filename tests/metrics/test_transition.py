"""Transitions of trajectories whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthbench.metrics.transition import find_transition
from synthbench.plan.schedule import evaluation_steps

SAMPLES = np.array(evaluation_steps(20_000, 0.05), float) * 32
LOG = np.log10(np.maximum(SAMPLES, 1))


def ramp(onset: float, completion: float) -> np.ndarray:
    """Linear in log samples, through 10% at `onset` and 90% at `completion`."""
    slope = 0.8 / np.log10(completion / onset)
    return np.clip(0.1 + slope * (LOG - np.log10(onset)), 0, 1)


def step(at: float) -> np.ndarray:
    return np.where(at <= SAMPLES, 1.0, 0.0)


@given(st.floats(3.2, 4.6), st.floats(0.2, 0.7))
def test_a_ramp_is_recovered_within_the_grid(log_onset: float, width: float) -> None:
    onset, completion = 10**log_onset, 10 ** (log_onset + width)
    found = find_transition(SAMPLES, ramp(onset, completion))
    # Points are at most 5% apart: a level is seen at most one point late, never early.
    for value, truth in ((found.onset, onset), (found.completion, completion)):
        assert truth * 0.999 <= value <= truth * 1.06
    assert found.midpoint == pytest.approx((onset * completion) ** 0.5, rel=0.06)
    assert found.width == pytest.approx(width, abs=0.025)
    assert found.sharpness == pytest.approx(0.8 / width, rel=0.05)
    assert found.plateau == pytest.approx(onset / completion, rel=0.06)
    assert found.height == pytest.approx(1.0)
    assert found.overshoot == found.relapse == 0


def test_a_step_has_no_width() -> None:
    found = find_transition(SAMPLES, step(10_000))
    assert found.onset == found.midpoint == found.completion
    assert 10_000 <= found.onset <= 10_500 and found.width == 0 and found.plateau == 1
    assert found.sharpness == pytest.approx(10, rel=0.01), "all of it in one window of 0.1 decades"


def test_never_and_half_way() -> None:
    never = find_transition(SAMPLES, np.zeros_like(SAMPLES))
    assert (never.onset, never.completion, never.width, never.sharpness) == (None, None, None, 0.0)
    half = find_transition(SAMPLES, 0.6 * step(1_000))
    assert half.onset == half.midpoint and half.completion is None and half.height is None


def test_one_lucky_evaluation_does_not_count() -> None:
    progress = step(50_000)
    progress[40] = 1.0
    assert find_transition(SAMPLES, progress).onset >= 50_000


def test_relapse_and_overshoot() -> None:
    progress = step(1_000)
    progress[-60:-30] = 0.4
    progress[-30:] = 0.95
    found = find_transition(SAMPLES, progress)
    assert found.relapse == pytest.approx(0.6) and found.overshoot == pytest.approx(0.05)


def test_noise_below_the_onset_level_does_not_move_it() -> None:
    generator = np.random.default_rng(0)
    # 1,024 held-out samples: a standard deviation of 2 sqrt(0.25 / 1024) of progress.
    for _ in range(100):
        noisy = step(100_000) + generator.normal(0, 1 / 32, len(SAMPLES))
        found = find_transition(SAMPLES, noisy)
        assert 100_000 <= found.onset <= 106_000
        assert 100_000 <= found.completion <= 106_000


def test_solved_from_the_start() -> None:
    found = find_transition(SAMPLES, np.ones_like(SAMPLES))
    assert found.onset == found.completion == 0 and found.width is None


def test_a_target_below_ninety_percent_completes_the_transition() -> None:
    """A replica stops at its target, so more is never seen."""
    whole = ramp(10_000, 100_000)
    seen = whole < 0.85
    assert find_transition(SAMPLES[seen], whole[seen]).completion is None
    found = find_transition(SAMPLES[seen], whole[seen], met=whole[seen] >= 0.8)
    assert found.completion == SAMPLES[whole >= 0.8][0]
    # 10% to 80% of a line that takes a decade from 10% to 90%.
    assert found.width == pytest.approx(7 / 8, abs=0.04)
