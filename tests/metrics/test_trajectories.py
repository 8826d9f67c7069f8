"""The table of measurements: columns of numbers, and curves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from synthbench.metrics.arrow_columns import nullable_column, numpy_column
from synthbench.metrics.trajectories import Trajectories
from synthbench.records.content import parquet_bytes

CURVES = np.array([[0.1, 0.2, np.nan], [0.3, 0.4, 0.5], [0.6, np.nan, 0.8]])


@pytest.fixture
def trajectories() -> Trajectories:
    """Two replicas, of two evaluations and one."""
    table = pa.table(
        {
            "replica": pa.array([0, 0, 1]),
            "step": pa.array([0, 1, 0]),
            "accuracy": pa.array([0.5, 0.6, 0.5]),
            "excess": nullable_column(CURVES),
            "progress": pa.array([0.0, 0.2, 0.0]),
            "fourier/entropy": pa.array([1.0, 2.0, 3.0]),
            "fourier/power": nullable_column(CURVES * 2),
        }
    )
    return Trajectories.from_blocks([table], batch_size=32, step_flops=10)


def test_a_curve_is_one_column_of_lists(trajectories: Trajectories) -> None:
    assert trajectories.table["excess"].type == pa.list_(pa.float64(), 3)
    assert trajectories.table["excess"].to_pylist()[0] == [0.1, 0.2, None]
    assert trajectories.curves == ["excess", "fourier/power"]
    assert trajectories.measured == ["accuracy", "progress", "fourier/entropy"]
    assert trajectories.probes == ["fourier/entropy"]


def test_a_curve_survives_the_round_trip(trajectories: Trajectories, tmp_path: Path) -> None:
    path = tmp_path / "trajectories.parquet"
    path.write_bytes(parquet_bytes(trajectories.table))
    again = Trajectories.read(path)
    assert again.table.equals(trajectories.table)
    np.testing.assert_array_equal(again.column("excess"), CURVES)


def test_a_curve_is_cut_selected_and_carried_like_a_number(trajectories: Trajectories) -> None:
    first, second = trajectories.by_replica("excess")
    assert first.shape == (2, 3) and second.shape == (1, 3)
    np.testing.assert_array_equal(trajectories.select([1]).column("excess"), CURVES[2:])
    np.testing.assert_array_equal(trajectories.until(0).column("excess"), CURVES[[0, 2]])
    samples, carried = trajectories.carried_forward("excess")
    assert samples.tolist() == [0, 32] and carried.shape == (2, 2, 3)
    np.testing.assert_array_equal(carried[1], CURVES[[2, 2]])


def test_quantiles_of_a_curve_are_those_of_each_place(trajectories: Trajectories) -> None:
    _, (median,) = trajectories.quantiles("excess", [0.5])
    expected = np.array([[0.35, 0.2, 0.8], [0.45, 0.4, 0.65]])
    np.testing.assert_allclose(median, expected)


def test_the_interval_of_a_median_is_between_order_statistics() -> None:
    """Of eight values the second and the second last bound it: 1 - 2 (1 + 8) / 2^8 = 0.93 < 0.95,
    so the ends are the least and the largest; of five there are none."""
    values = np.array([[5.0, 1.0], [2.0, np.nan], [8.0, 3.0], [1.0, 4.0], [7.0, 2.0], [3.0, 5.0],
                       [6.0, np.nan], [4.0, np.nan]])  # fmt: skip
    replicas = np.repeat(np.arange(8), 2)
    table = pa.table(
        {
            "replica": pa.array(replicas),
            "step": pa.array(np.tile([0, 1], 8)),
            "accuracy": pa.array(values.ravel()),
            "progress": pa.array(values.ravel()),
        }
    )
    trajectories = Trajectories.from_blocks([table], batch_size=32, step_flops=10)
    samples, ends = trajectories.median_intervals("accuracy")
    assert samples.tolist() == [0, 32]
    np.testing.assert_array_equal(ends, [[1.0, np.nan], [8.0, np.nan]])
    _, ends = trajectories.median_intervals("accuracy", confidence=0.9)
    np.testing.assert_array_equal(ends, [[2.0, 1.0], [7.0, 5.0]])


def test_a_slice_and_a_missing_list_are_read_right() -> None:
    column = pa.chunked_array([nullable_column(CURVES).slice(1), nullable_column(CURVES)])
    np.testing.assert_array_equal(numpy_column(column), np.concatenate([CURVES[1:], CURVES]))
    holed = pa.chunked_array([pa.array([[1.0, 2.0], None], pa.list_(pa.float64(), 2))])
    np.testing.assert_array_equal(numpy_column(holed), [[1.0, 2.0], [np.nan, np.nan]])
