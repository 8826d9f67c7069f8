"""Memorization with known beginning and end."""

from __future__ import annotations

import numpy as np
import pytest

from synthbench.metrics.grokking import find_grokking

SAMPLES = np.concatenate([[0.0], np.geomspace(32, 640_000, 300)])


def step(at: float) -> np.ndarray:
    return (at <= SAMPLES).astype(float)


def test_a_replica_that_groks() -> None:
    found = find_grokking(SAMPLES, step(10_000), step(50_000))
    assert found.memorized == pytest.approx(10_000, rel=0.04)
    assert found.ratio == pytest.approx(5, rel=0.07)
    assert found.duration == pytest.approx(40_000, rel=0.08) and not found.censored


def test_a_replica_that_only_memorizes_is_censored() -> None:
    found = find_grokking(SAMPLES, step(10_000), np.zeros_like(SAMPLES))
    assert found.censored and found.generalized is None and found.ratio is None
    assert found.duration == pytest.approx(630_000, rel=0.01)


def test_learning_without_memorizing_and_nothing_at_all() -> None:
    together = find_grokking(SAMPLES, step(10_000), step(10_000))
    assert together.ratio == 1 and together.duration == 0
    nothing = find_grokking(SAMPLES, np.zeros_like(SAMPLES), np.zeros_like(SAMPLES))
    assert nothing.memorized is None and nothing.duration is None and not nothing.censored


def test_one_lucky_evaluation_does_not_count() -> None:
    fresh = step(50_000)
    fresh[100] = 1.0
    assert find_grokking(SAMPLES, step(10_000), fresh).generalized > 45_000
