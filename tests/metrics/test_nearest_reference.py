"""Time near strategies, on trajectories that visit them at known times."""

from __future__ import annotations

import numpy as np
import pytest

from synthbench.metrics.nearest_reference import (
    score_distances,
    time_near_references,
    told_apart,
)

SAMPLES = np.array([0.0, 10, 100, 1_000, 10_000])
LEVELS = {"uniform": 0.0, "unigram": 0.4, "bigram": 1.0}


def test_each_stage_has_its_time() -> None:
    score = np.array([0.0, 0.1, 0.35, 0.45, 0.9])
    found = time_near_references(SAMPLES, score_distances(score, LEVELS))
    assert [found[name].first for name in LEVELS] == [0, 100, 10_000]
    assert [found[name].samples for name in LEVELS] == [10, 990, 9_000]
    assert [found[name].share for name in LEVELS] == pytest.approx([0, 2 / 3, 1 / 3])


def test_a_skipped_stage_and_a_divergence() -> None:
    found = time_near_references(
        SAMPLES, score_distances(np.array([0.0, 0.0, 1.0, np.nan, 1.0]), LEVELS)
    )
    assert found["unigram"].first is None and found["unigram"].samples == 0
    assert sum(near.share for near in found.values()) == pytest.approx(1)


def test_a_tie_goes_to_the_more_advanced() -> None:
    found = time_near_references(SAMPLES, {"a": np.ones(5), "b": np.ones(5)})
    assert found["a"].first is None and found["b"].samples == 10_000


def test_a_strategy_no_better_than_trivial_cannot_be_recognized() -> None:
    noisy = [
        {"trivial": 0.5, "misses-one": 0.5 + error, "linear": 0.7, "optimal": 1.0}
        for error in (-0.02, 0.03, 0.01)
    ]
    assert told_apart(noisy) == ["trivial", "linear", "optimal"]
    assert told_apart([{"trivial": 1.0, "unigram": 0.4, "optimal": 0.1}]) == [
        "trivial", "unigram", "optimal",
    ]  # fmt: skip
