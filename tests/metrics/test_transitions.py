"""Transitions over replicas, some of which never complete."""

from __future__ import annotations

import numpy as np
import pytest

from synthbench.metrics.transition import find_transition
from synthbench.metrics.transitions import summarize_transitions

SAMPLES = np.concatenate([[0.0], np.geomspace(32, 640_000, 400)])
LOG = np.log10(np.maximum(SAMPLES, 1))
BUDGET = 640_000.0


def ramp(start: float, width: float, height: float = 1.0) -> np.ndarray:
    return height * np.clip((LOG - start) / width, 0, 1)


def test_times_are_over_all_replicas_and_shapes_over_the_completed() -> None:
    # 16 that complete, 5 that stop at 0.6, 4 that never begin.
    rows = [ramp(3 + 0.05 * i, 0.5) for i in range(16)]
    rows += [ramp(4, 0.5, 0.6)] * 5 + [np.zeros_like(SAMPLES)] * 4
    found = summarize_transitions([find_transition(SAMPLES, row) for row in rows], BUDGET)
    assert found.completed == 16
    # 10% of the way: 0.05 decades after the start. The 13th of 25 onsets is the 13th ramp's
    # (starts at 3.0 ... 3.6), the 13th midpoint also.
    assert np.log10(found.onset.value) == pytest.approx(3.65, abs=0.03)
    assert np.log10(found.midpoint.value) == pytest.approx(3.85, abs=0.03)
    assert np.log10(found.completion.value) == pytest.approx(4.05, abs=0.03)
    assert found.completion.high is None, "9 of 25 never complete"
    assert found.width.value == pytest.approx(0.4, abs=0.02)
    assert found.height.value == pytest.approx(1, abs=0.01)


def test_nobody_completes() -> None:
    found = summarize_transitions([find_transition(SAMPLES, ramp(4, 0.5, 0.3))] * 8, BUDGET)
    assert found.completed == 0 and found.width.value is None and found.midpoint.value is None
    assert found.onset.value is not None
