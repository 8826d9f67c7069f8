"""Trajectories ranked by another score, against the arithmetic done by hand."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from synthbench.metrics.ranked_by import progress_of, ranked_by
from synthbench.metrics.trajectories import Trajectories


def trajectories(**more: list[float]) -> Trajectories:
    table = pa.table(
        {
            "replica": [0, 0, 1],
            "step": [0, 1, 0],
            "accuracy": [0.5, 1.0, 0.5],
            "loss": [1.0, 0.0, 1.0],
            "progress": [0.0, 1.0, 0.0],
            "accuracy@far": [0.5, 0.6, 0.4],
            "kl": [2.0, 1.0, 3.0],
            **more,
        }
    )
    return Trajectories.from_blocks([table], batch_size=1, step_flops=1)


def test_the_score_comes_first_with_its_own_progress() -> None:
    found = ranked_by(trajectories(), "accuracy@far", np.array([[0.5, 0.9], [0.4, 0.8]]))
    assert found.ranked == "accuracy@far"
    np.testing.assert_allclose(found.column("progress"), [0, 0.25, 0])
    assert set(found.table.column_names) == set(trajectories().table.column_names)


def test_a_score_that_is_better_low() -> None:
    found = ranked_by(trajectories(), "kl", np.array([[2.0, 0.0], [3.0, 1.0]]))
    np.testing.assert_allclose(found.column("progress"), [0, 0.5, 0])


def test_progress_in_training_stays_with_its_own_score() -> None:
    trained = trajectories(train_accuracy=[0.5, 1, 0.5], train_progress=[0, 1, 0])
    scale = np.array([[0.5, 0.9], [0.4, 0.8]])
    assert "train_progress" in ranked_by(trained, "accuracy@far", scale).measured
    assert "train_progress" not in ranked_by(trained, "kl", scale).measured


def test_where_nothing_beats_trivial_there_is_no_progress() -> None:
    score = np.array([0.2, 0.5, np.nan])
    np.testing.assert_array_equal(progress_of(score, 0.5, 0.5), [0, 0, np.nan])
    scale = np.array([0.0, 0.5, 0.0]), np.array([1.0, 0.5, 0.5])
    np.testing.assert_array_equal(progress_of(score, *scale), [0.2, 0, np.nan])
