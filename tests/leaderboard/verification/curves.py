"""Trajectories of a few columns, written down by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from synthbench.metrics.arrow_columns import nullable_column
from synthbench.metrics.trajectories import Trajectories

BATCH = 10


def trajectories(*replicas: Mapping[str, Sequence[float] | NDArray[np.float64]]) -> Trajectories:
    """One mapping from column to values at steps 0, 1, ... for each replica."""
    tables = []
    for number, columns in enumerate(replicas):
        steps = np.arange(len(next(iter(columns.values()))))
        index = {
            "replica": np.full(len(steps), number),
            "step": steps,
            "samples": steps * BATCH,
            "flops": steps * 7,
        }
        measured = {name: np.array(values, float) for name, values in columns.items()}
        tables.append(pa.table({n: nullable_column(v) for n, v in {**index, **measured}.items()}))
    return Trajectories(pa.concat_tables(tables))
