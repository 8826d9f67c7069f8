"""Columns without pandas are those that pyarrow makes with it."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from synthbench.metrics.arrow_columns import arrow_column, nullable_column, numpy_column

ARRAYS = (
    np.arange(7),
    np.array([], dtype=np.float64),
    np.array([1.5, np.nan, -np.inf, 0.0, np.nan]),
    np.arange(12, dtype=np.float64)[::3],
    np.array([1, 2**40], dtype=np.int64),
    np.array([0.25, np.nan], dtype=np.float32),
)


@pytest.mark.parametrize("values", ARRAYS, ids=str)
def test_they_are_those_of_pyarrow(values: np.ndarray) -> None:
    plain, nullable = pa.array(values), pa.array(values, from_pandas=True)
    assert arrow_column(values).type == plain.type
    assert np.array_equal(arrow_column(values).to_numpy(), values, equal_nan=True)
    assert nullable_column(values).equals(nullable)
    assert nullable_column(values).null_count == nullable.null_count


@pytest.mark.parametrize("values", ARRAYS, ids=str)
def test_the_way_back_is_that_of_pyarrow(values: np.ndarray) -> None:
    column = pa.chunked_array([nullable_column(values), nullable_column(values)])
    back = numpy_column(column)
    assert back.dtype == column.to_numpy().dtype
    assert np.array_equal(back, column.to_numpy(), equal_nan=True)
    back[:] = 0
    assert np.array_equal(column.to_numpy(), np.tile(values, 2), equal_nan=True), "a copy"


@pytest.mark.parametrize(
    "values", [[1, None, 3], [True, False], ["a", None], [None, None]], ids=str
)
def test_other_columns_too(values: list) -> None:
    column = pa.chunked_array([pa.array(values)])
    found, wanted = numpy_column(column), column.to_numpy()
    assert found.dtype == wanted.dtype
    assert all(a == b or (a != a and b != b) for a, b in zip(found, wanted, strict=True))


def test_pandas_stays_away() -> None:
    program = (
        "import sys, numpy as np, pyarrow as pa\n"
        "from synthbench.metrics.arrow_columns import nullable_column\n"
        "from synthbench.metrics.trajectories import Trajectories\n"
        "names = ('replica', 'step', 'samples', 'flops', 'accuracy', 'progress')\n"
        "table = pa.table({name: nullable_column(np.arange(4.0)) for name in names})\n"
        "trajectories = Trajectories(table)\n"
        "assert trajectories.until(2).table.num_rows == 3\n"
        "assert trajectories.select([1, 3]).replicas() == [1, 3]\n"
        "print('pandas' in sys.modules)\n"
        "pa.array(np.arange(3))\n"
        "print('pandas' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "True"], "the second shows that the check works"
