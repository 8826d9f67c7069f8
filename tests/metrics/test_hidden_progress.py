"""Leads of probes whose head start is known."""

from __future__ import annotations

import numpy as np
import pytest

from synthbench.metrics.change_points import find_stages
from synthbench.metrics.hidden_progress import find_hidden_progress, last_transition
from synthbench.metrics.transition import find_transition

SAMPLES = np.concatenate([[0.0], np.geomspace(32, 640_000, 400)])


def step(at: float) -> np.ndarray:
    return (at <= SAMPLES).astype(float)


def measure(probe: np.ndarray, score_at: float = 100_000):
    return find_hidden_progress(SAMPLES, probe, find_transition(SAMPLES, step(score_at)))


@pytest.mark.parametrize("sign", [1, -1])
def test_a_probe_that_moves_one_decade_earlier(sign: int) -> None:
    found = measure(5 + sign * 3 * step(10_000))
    assert found.lead == pytest.approx(1.0, abs=0.02)
    assert found.plateau_fraction == pytest.approx(0.1, abs=0.005)
    assert found.probe_half == pytest.approx(10_000, rel=0.03)


def test_a_probe_that_moves_later_has_a_negative_lead() -> None:
    ramp = np.clip((np.log10(np.maximum(SAMPLES, 1)) - 3) / 2, 0, 1)
    found = find_hidden_progress(SAMPLES, step(30_000), find_transition(SAMPLES, ramp))
    assert found.lead == pytest.approx(4 - np.log10(30_000), abs=0.02)
    assert found.plateau_fraction == pytest.approx(30_000 / 10**3.2, rel=0.05)


def test_what_happens_after_completion_does_not_count() -> None:
    plain, growing = step(10_000), step(10_000) + 50 * step(200_000)
    assert measure(plain) == measure(growing)


def test_one_lucky_evaluation_does_not_count() -> None:
    probe = step(10_000)
    probe[20] = 9.0
    assert measure(probe).probe_half == pytest.approx(10_000, rel=0.03)


def test_nothing_to_measure() -> None:
    assert measure(np.ones_like(SAMPLES)) is None
    assert measure(np.full_like(SAMPLES, np.nan)) is None
    never = find_transition(SAMPLES, np.zeros_like(SAMPLES))
    assert find_hidden_progress(SAMPLES, step(10), never) is None


def test_a_staged_transition_is_measured_at_its_last_rise() -> None:
    # 0 -> 0.6 at 1,000 samples, 0.6 -> 1 at 100,000; the probe does something at both.
    progress = 0.6 * step(1_000) + 0.4 * step(100_000)
    probe = -5 * step(900) + 2 * step(40_000)
    whole = find_transition(SAMPLES, progress)
    assert whole.midpoint < 1_100
    own, since = last_transition(whole, find_stages(SAMPLES, progress))
    assert since == pytest.approx(1_000, rel=0.05)
    found = find_hidden_progress(SAMPLES, probe, own, since=since)
    assert found.lead == pytest.approx(np.log10(100_000 / 40_000), abs=0.03)
    assert found.plateau_fraction == pytest.approx(0.4, rel=0.08)
    single = find_transition(SAMPLES, step(1_000))
    assert last_transition(single, find_stages(SAMPLES, step(1_000))) == (single, 0.0)
