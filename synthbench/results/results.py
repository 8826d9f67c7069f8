"""Finished cells in Python: tables, pictures, data sets, comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, overload

from synthbench.metrics.cell_metrics import CellMetrics
from synthbench.plan.cell import Cell
from synthbench.plan.growth import configuration_hash, holds
from synthbench.records.schema import Record
from synthbench.results.comparisons import ModelComparison, compare_models
from synthbench.results.figures import DEFAULT_KIND, draw
from synthbench.results.figures.canvas import Canvas
from synthbench.results.figures.encoding import Encoding
from synthbench.results.html import comparisons_html, results_html
from synthbench.results.lying import read_cells, warn_of
from synthbench.results.measured_cell import MeasuredCell
from synthbench.results.networks import load_network
from synthbench.results.scored_cell import scored_by
from synthbench.results.table.frame import Fields, FrameOptions, Per, tidy_frame
from synthbench.results.text import comparisons_text, describe_cell, results_text

if TYPE_CHECKING:
    import pandas as pd
    from datasets import Dataset
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from torch import nn


@dataclass(frozen=True, repr=False)
class CellResult:
    """A finished cell, and whether it was there before.

    cell: what was evaluated, in the session that did so; None when read from a folder.
    """

    measured: MeasuredCell
    reused: bool
    cell: Cell | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        """`<CellResult: mlp width=50 on sparse-parity n=12 k=2, 16/16 solved, median 9.6k ...>`."""
        return f"<CellResult: {describe_cell(self.measured)}; {self.folder}>"

    def _repr_html_(self) -> str:
        return results_html([self.measured])

    @property
    def record(self) -> Record:
        """Configuration, seeds, environment and summary."""
        return self.measured.record

    @property
    def folder(self) -> Path:
        """Where the record and its files lie."""
        return self.measured.folder

    @property
    def metrics(self) -> CellMetrics:
        """Every metric, computed from the trajectories when first asked for."""
        return self.measured.metrics

    @cached_property
    def trajectories(self) -> Dataset:
        """The measurements as a Hugging Face data set: one row per replica and evaluation."""
        from datasets import Dataset
        from datasets.table import InMemoryTable

        return Dataset(InMemoryTable(self.measured.trajectories.table))

    def network(self, replica: int, step: int | None = None) -> nn.Module:
        """The trained network of one replica, in evaluation mode, on CPU.

        step: as it was at the last evaluation at or before this optimizer step; none: at the
        replica's last. Raises RecordError unless the cell was evaluated with `--keep-weights`
        (`Settings(keep_weights=...)`) of that step, or when its classes are no plugin's and it
        was read from a folder.
        """
        return load_network(self.record, self.folder, replica, self.cell, step)

    def table(self) -> pd.DataFrame:
        """One row with the cell's metrics: `Results.table`."""
        return Results([self]).table()

    def plot(  # noqa: PLR0913 - as of Results
        self,
        kind: str = DEFAULT_KIND,
        x: str | None = None,
        y: str | None = None,
        value: str | None = None,
        group: str | None = None,
        *,
        size: str | tuple[float, float] | None = None,
        ax: Axes | None = None,
    ) -> Figure:
        """A matplotlib figure: `Results.plot`."""
        return Results([self]).plot(kind, x, y, value, group, size=size, ax=ax)

    def scored_by(self, score: str) -> CellResult:
        """The same cell by another score, such as `accuracy@length-80`: `Results.scored_by`."""
        return Results([self]).scored_by(score)[0]


class Results(Sequence[CellResult]):
    """Finished cells, in the order in which they were planned."""

    def __init__(self, cells: Sequence[CellResult]) -> None:
        self._cells = tuple(cells)

    @overload
    def __getitem__(self, index: int) -> CellResult: ...
    @overload
    def __getitem__(self, index: slice) -> Results: ...
    def __getitem__(self, index: int | slice) -> CellResult | Results:
        """One cell, or some."""
        return Results(self._cells[index]) if isinstance(index, slice) else self._cells[index]

    def __len__(self) -> int:
        """Number of cells."""
        return len(self._cells)

    def __repr__(self) -> str:
        """The tables that end `synthbench eval`."""
        return results_text(self.measured)

    def _repr_html_(self) -> str:
        return results_html(self.measured)

    @property
    def measured(self) -> list[MeasuredCell]:
        """The cells without the word on whether they were reused."""
        return [cell.measured for cell in self._cells]

    def table(
        self,
        per: Per = "configuration",
        fields: Fields = "varying",
        against: str | None = None,
    ) -> pd.DataFrame:
        """One tidy frame: a row per configuration, per "replica" or per "evaluation".

        A column for every field of task, model, recipe and protocol in which the cells differ,
        or for `fields="all"` of them; prefixed (`task.n`, `model.width`) where names meet. An
        estimate has the columns `x`, `x_low` and `x_high`. against: a model such as `mlp lr=0.1`
        that every other is compared with, in three more columns. Times are in samples unless
        named otherwise; NaN means beyond the budget, or undefined. Raises ConfigurationError
        for another `per` or `fields`, and what `compare` does.
        """
        return tidy_frame(self.measured, FrameOptions(per, fields, against))

    def plot(  # noqa: PLR0913 - every choice of a picture beside its default
        self,
        kind: str = DEFAULT_KIND,
        x: str | None = None,
        y: str | None = None,
        value: str | None = None,
        group: str | None = None,
        *,
        probes: Sequence[str] | None = None,
        size: str | tuple[float, float] | None = None,
        ax: Axes | None = None,
    ) -> Figure:
        """Draw the cells together; kinds are those of `synthbench plot`.

        x, y, value: for the kind "heatmap", the fields on its axes and the column of `table()`
        that is its colour. x, value, group: for "scaling", the field on the horizontal axis, the
        column above it, and the field that tells lines apart. probes: for "probes", those that
        are drawn, or single ones of their numbers; None: all. size: "column" (3.25 inches wide),
        "page" (6.75) or (width, height) in inches; None: for a screen. ax: axes to draw into, for
        a picture of one panel. The user's `rcParams` hold. Raises UnknownNameError for another
        kind, ConfigurationError for what a kind does not take, NothingToDrawError if nothing of it
        was measured.
        """
        named = None if probes is None else tuple(probes)
        encoding = Encoding(x, y, value, group, named)
        picture = draw(self.measured, kind, Canvas(size, ax=ax), encoding)
        return picture.figure

    def scored_by(self, score: str) -> Results:
        """The same cells by another score, such as `accuracy@length-80`: the ranked one of all.

        Tables, pictures, comparisons and metrics are then those of that score. A replica that
        stopped because it had solved the task by the ranked score is censored where it stopped.
        Raises UnknownNameError for a score that a cell does not have.
        """
        return Results(
            [replace(cell, measured=scored_by(cell.measured, score)) for cell in self._cells]
        )

    def compare(self, against: str | None = None) -> Comparisons:
        """Every two models of the same task, corrected for the number of comparisons.

        against: one model, such as `mlp` or `mlp lr=0.1`, that each other is compared with; the
        correction is then for those comparisons alone. Raises UnknownNameError when no cell is
        of that model, ConfigurationError when it might be several on the same task.
        """
        return Comparisons(compare_models(self.measured, against))


class Comparisons(list[ModelComparison]):
    """A list of comparisons that a terminal and a notebook show as a table."""

    def __repr__(self) -> str:
        """One paragraph per comparison."""
        return comparisons_text(self)

    def _repr_html_(self) -> str:
        return comparisons_html(self)


def read_results(folder: Path | str) -> Results:
    """Read every finished cell in a folder, such as `runs/quickstart` or one cell's own.

    Of a configuration that is there several times, what another holds whole is left out. One that
    cannot be trusted, or read, is left out too, with a warning that says where it lies and why.
    Raises RecordError when there is none that can be read.
    """
    return each_once(read_cells(folder, warn_of))


def each_once(cells: Sequence[MeasuredCell]) -> Results:
    """As `read_results`, of cells from several folders: copies count once."""
    kept = largest(cells)
    # As trained: folder names alone would put n=100 before n=20.
    kept.sort(key=lambda cell: (cell.record.created, str(cell.folder)))
    return Results([CellResult(cell, reused=True) for cell in kept])


def largest(cells: Sequence[MeasuredCell]) -> list[MeasuredCell]:
    """Without those of which another has all replicas, watched as long and as often, or more."""
    kept: dict[str, list[MeasuredCell]] = {}
    for cell in sorted(cells, key=_size, reverse=True):
        same = kept.setdefault(configuration_hash(cell.record.plan), [])
        if not any(holds(other.record.plan, cell.record.plan) for other in same):
            same.append(cell)
    chosen = {id(cell) for same in kept.values() for cell in same}
    return [cell for cell in cells if id(cell) in chosen]


def _size(cell: MeasuredCell) -> tuple[int, int, float, str]:
    """Of two that are alike the newer is the larger."""
    record = cell.record
    finer = -record.protocol["resolution"]
    return record.budget, len(record.replicas), finer, record.created
