"""The table of measurements: one row per replica and evaluation point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from synthbench.errors import RecordError
from synthbench.metrics.arrow_columns import arrow_column, is_curve, numpy_column
from synthbench.metrics.mean import median_estimate

if TYPE_CHECKING:
    import pandas as pd

INDEX = ("replica", "step", "samples", "flops")
"""Replica number; optimizer steps, training samples and training FLOPs spent so far."""


@dataclass(frozen=True)
class Trajectories:
    """What every replica scored, ordered by replica and step.

    Columns after the four of `INDEX`: the task's scores (the ranked one first), `loss`,
    `progress` (of the ranked score: 0 trivial, 1 optimal or the task's other ceiling),
    `train_loss` (mean since the last evaluation, so undefined at step 0) and one
    `<probe>/<name>` per probe value. On another test set than the first: `accuracy@name`,
    `loss@name`, and `progress@name` of that set's first score. A column may be a curve: in
    every row a list of the same length.
    """

    table: pa.Table

    @classmethod
    def from_blocks(cls, tables: list[pa.Table], batch_size: int, step_flops: int) -> Trajectories:
        """Join the tables of blocks (`replica`, `step`, measurements) and add the spending."""
        joined = pa.concat_tables(tables)
        steps = numpy_column(joined["step"])
        rest = joined.drop_columns(["replica", "step"])
        index = {
            "replica": joined["replica"],
            "step": joined["step"],
            "samples": arrow_column(steps * batch_size),
            "flops": arrow_column(steps * step_flops),
        }
        return cls(pa.table({**index, **{name: rest[name] for name in rest.column_names}}))

    @classmethod
    def read(cls, path: Path) -> Trajectories:
        """Read a parquet file; RecordError if it is not one or lacks the index columns."""
        try:
            # Not read_table, which takes a folder called a=b for a column.
            with pq.ParquetFile(path) as file:
                table = file.read()
        except (OSError, pa.ArrowInvalid) as error:
            raise RecordError(f"{path} is not a readable parquet file: {error}") from None
        missing = [name for name in (*INDEX, "progress") if name not in table.column_names]
        if missing:
            raise RecordError(f"{path} lacks the columns {', '.join(missing)}")
        return cls(table)

    @property
    def ranked(self) -> str:
        """Name of the task's ranked score."""
        return str(self.table.column_names[len(INDEX)])

    @property
    def probes(self) -> list[str]:
        """Columns of numbers measured by probes: `<probe>/<name>`."""
        return [name for name in self.measured if "/" in name]

    @property
    def curves(self) -> list[str]:
        """Columns that are a list of numbers at every evaluation, of scores and of probes."""
        return [field.name for field in self.table.schema if is_curve(field.type)]

    @property
    def measured(self) -> list[str]:
        """Columns of numbers but those of `INDEX`: scores, the ranked one first, losses, probes."""
        curves = set(self.curves)
        return [name for name in self.table.column_names[len(INDEX) :] if name not in curves]

    @property
    def replica_steps(self) -> int:
        """Optimizer steps over all replicas, counted up to each one's last evaluation."""
        return sum(int(steps[-1]) for steps in self.by_replica("step"))

    def replicas(self) -> list[int]:
        """Replica numbers, ascending."""
        return [int(r) for r in np.unique(self.column("replica"))]

    def column(self, name: str) -> NDArray[np.float64]:
        """One column over all rows: (N,), of a curve (N, T)."""
        return numpy_column(self.table[name])

    def by_replica(self, name: str) -> list[NDArray[np.float64]]:
        """One column, split into one array per replica: (E,), of a curve (E, T)."""
        starts = np.flatnonzero(np.diff(self.column("replica"))) + 1
        return np.split(self.column(name), starts)

    def carried_forward(self, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """One column on the common grid: samples (E,) and values (R, E), of a curve (R, E, T).

        A replica that has stopped keeps its last value.
        """
        return carry_forward(self.by_replica("samples"), self.by_replica(name))

    def quantiles(
        self, name: str, levels: Sequence[float]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Quantiles over replicas on the common grid: samples (E,) and values (L, E).

        Of a curve (L, E, T), each place by itself.
        NaN where the column is undefined for every replica.
        """
        samples, values = self.carried_forward(name)
        found = np.full((len(levels), *values.shape[1:]), np.nan)
        missing = np.isnan(values)
        defined = ~missing.all(axis=0)
        if defined.any():
            # The one that looks for NaN goes column by column.
            quantile = np.nanquantile if missing.any() else np.quantile
            found[:, defined] = quantile(values[:, defined], levels, axis=0)
        return samples, found

    def median_intervals(
        self, name: str, confidence: float = 0.95
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Exact intervals of the median over replicas: samples (E,) and ends (2, E).

        On the common grid; NaN where there are too few replicas to bound the median on that side.
        Source: the sign test (Conover 1999, section 3.2).
        """
        samples, values = self.carried_forward(name)
        found = (median_estimate(one[~np.isnan(one)], confidence) for one in values.T)
        ends = [(estimate.low, estimate.high) for estimate in found]
        return samples, np.array(ends, dtype=np.float64).T

    def until(self, samples: float) -> Trajectories:
        """The measurements of the first `samples` training samples."""
        return self._rows(self.column("samples") <= samples)

    def first(self, count: int) -> Trajectories:
        """The measurements of the replicas 0, ..., count - 1."""
        return self._rows(self.column("replica") < count)

    def select(self, replicas: Sequence[int]) -> Trajectories:
        """The measurements of some replicas."""
        return self._rows(np.isin(self.column("replica"), replicas))

    def _rows(self, chosen: NDArray[np.bool_]) -> Trajectories:
        if chosen.all():
            return self
        return Trajectories(self.table.take(arrow_column(np.flatnonzero(chosen))))

    def to_pandas(self) -> pd.DataFrame:
        """The table as a pandas data frame."""
        return cast("pd.DataFrame", self.table.to_pandas())


def carry_forward(
    samples: Sequence[NDArray[np.float64]], values: Sequence[NDArray[np.float64]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Common grid (E,) and values (R, E, ...); a replica that stopped keeps its last value."""
    grid = max(samples, key=len)
    carried = np.empty((len(values), len(grid), *values[0].shape[1:]))
    for row, own in zip(carried, values, strict=True):
        row[: len(own)] = own
        row[len(own) :] = own[-1]
    return grid, carried
