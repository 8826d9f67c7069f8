"""Times to target and the summary, from trajectories made by hand."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthbench.metrics.summary import summarize
from synthbench.metrics.time_to_target import Target, first_held, times_to_target
from synthbench.metrics.trajectories import Trajectories

STEPS = np.array([0, 1, 2, 4, 8])


def trajectories(*progress: list[float]) -> Trajectories:
    tables = [
        pa.table(
            {
                "replica": np.full(len(row), r),
                "step": STEPS[: len(row)],
                "accuracy": 0.5 + np.array(row) / 2,
                "progress": np.array(row, float),
            }
        )
        for r, row in enumerate(progress)
    ]
    return Trajectories.from_blocks(tables, batch_size=32, step_flops=1000)


def test_times_are_first_held_evaluations_or_the_budget() -> None:
    found = trajectories([0, 0, 1, 1], [0, 1, 0, 1, 1], [0, 0, 0, 0, 1], [0, 0])
    times = times_to_target(found, Target(0.96, 2, 256))
    assert times.times.tolist() == [64, 128, 256, 256]
    assert times.solved.tolist() == [True, True, False, False]


def test_summary_counts_and_converts() -> None:
    found = trajectories([0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1, 1], [0, 0])
    summary = summarize(found, Target(0.96, 2, 256), batch_size=32, step_flops=1000, diverged=1)
    assert (summary.replicas, summary.solved, summary.diverged) == (4, 3, 1)
    assert summary.samples_to_target.value == 64
    assert summary.steps_to_target.value == 2
    assert summary.flops_to_target.value == 2000
    assert summary.final_score.value == 1.0 and summary.score == "accuracy"


def test_spending_columns() -> None:
    table = trajectories([0, 0, 1]).table
    assert table["samples"].to_pylist() == [0, 32, 64]
    assert table["flops"].to_pylist() == [0, 1000, 2000]


@given(st.lists(st.booleans(), max_size=30), st.integers(1, 4))
def test_first_held_is_the_earliest_full_run(hits: list[bool], hold: int) -> None:
    expected = [i for i in range(len(hits)) if hits[i : i + hold] == [True] * hold]
    assert first_held(np.array(hits, bool), hold) == (expected[0] if expected else None)


def test_a_file_that_is_not_parquet_is_refused(tmp_path) -> None:
    (tmp_path / "t.parquet").write_bytes(b"nonsense")
    with pytest.raises(ValueError, match="not a readable parquet file"):
        Trajectories.read(tmp_path / "t.parquet")
