"""What is kept of a grid: the cells, or the measurements, that it asks for, with their seeds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from synthbench.evaluation.studies.study import Study
from synthbench.measurements.rows import MeasuredRows
from synthbench.papers.measuring import MeasuredGrid
from synthbench.papers.running import RUNS, AnyGrid, Size, grid_studies
from synthbench.plan.cell import Cell
from synthbench.plan.growth import configuration_hash
from synthbench.plan.paper_study import PaperFigure, PaperStudy, StatedClaim
from synthbench.records.reading import RECORD_FILE
from synthbench.records.schema import Environment
from synthbench.results.lying import Unreadable, readable
from synthbench.results.measured_cell import MeasuredCell
from synthbench.results.narrowed import narrowed
from synthbench.results.results import CellResult, Results


@dataclass(frozen=True)
class KeptStudy:
    """A paper study with what is kept of its grids.

    full: whether these are the grids with the paper's sizes.
    """

    study: PaperStudy
    grids: Mapping[str, AnyKept]
    full: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing was run."""
        return not any(len(grid.results) for grid in self.grids.values())

    @property
    def unreadable(self) -> list[Unreadable]:
        """What lies there and cannot be read: it is left out."""
        return [each for grid in self.grids.values() for each in grid.unreadable]

    @property
    def seconds(self) -> float:
        """Time that the training has taken, over all sessions."""
        return sum(grid.seconds for grid in self.grids.values())

    def of(self, part: PaperFigure | StatedClaim) -> list[AnyKept]:
        """The grids that a figure or a claim is about."""
        return [self.grids[name] for name in self.study.grids_of(part)]


class Counted(ABC):
    """How much is kept of a grid, whether it is trained or measured."""

    planned: int
    """Cells, or configurations that are measured, of the grid."""
    unreadable: tuple[Unreadable, ...]
    """What lies in its folder and cannot be read."""
    outgrown: int
    """Cells of which there is only what ends before the budget that the grid asks for."""

    @property
    @abstractmethod
    def counts(self) -> list[int]:
        """Seeds of each that is kept."""

    @property
    @abstractmethod
    def asked(self) -> int:
        """Seeds that the grid asks for, of the one that has the most."""

    @property
    def absent(self) -> str:
        """Why there is nothing to judge or to draw."""
        if self.outgrown:
            return "run with a smaller budget only, or evaluated less often"
        return "not run"

    @property
    def missing(self) -> int:
        """Those of which nothing is kept."""
        return self.planned - len(self.counts)

    @property
    def seeds_text(self) -> str:
        """`32`, or `16 to 32` where cells differ; nothing where none is kept."""
        ends = dict.fromkeys((min(self.counts), max(self.counts)) if self.counts else ())
        return " to ".join(map(str, ends))

    @property
    def seeds(self) -> int:
        """Of the one that has the fewest; 0 where there is none."""
        return min(self.counts, default=0)


@dataclass(frozen=True)
class KeptGrid(Counted):
    """The finished cells of a grid, and how many are missing.

    results: in the order of the grid, each with as many seeds as are kept, within the budget that
    the grid asks for.
    """

    name: str
    study: Study
    results: Results
    planned: int
    unreadable: tuple[Unreadable, ...] = ()
    outgrown: int = 0

    @property
    def counts(self) -> list[int]:
        """Seeds of each kept cell."""
        return [len(cell.record.replicas) for cell in self.results]

    @property
    def asked(self) -> int:
        """Seeds that the grid asks for."""
        return max(cell.protocol.seeds for cell in self.study.cells)

    @property
    def is_whole(self) -> bool:
        """Whether every cell has every seed that the grid asks for."""
        return not self.missing and all(
            count >= cell.protocol.seeds
            for count, cell in zip(self.counts, self.study.cells, strict=True)
        )

    @property
    def seconds(self) -> float:
        """Time that the training of what is kept has taken, over all sessions."""
        return sum(cell.record.compute.wall_seconds for cell in self.results)

    @property
    def environments(self) -> list[Environment]:
        """Software and machine of each kept cell."""
        return [cell.record.environment for cell in self.results]


@dataclass(frozen=True)
class KeptMeasurements(Counted):
    """The configurations of a grid that were measured; as a `KeptGrid` of cells."""

    name: str
    study: MeasuredGrid
    results: MeasuredRows
    planned: int
    unreadable: tuple[Unreadable, ...] = ()
    outgrown: int = 0

    @property
    def counts(self) -> list[int]:
        """Seeds of each kept configuration."""
        return [len(part.rows) for part in self.results]

    @property
    def asked(self) -> int:
        """Seeds that the grid asks for."""
        return self.study.seeds

    @property
    def is_whole(self) -> bool:
        """Whether every configuration has every seed that the grid asks for."""
        return not self.missing and self.seeds >= self.study.seeds

    @property
    def seconds(self) -> float:
        """Time that measuring has taken, over all sessions."""
        return sum(part.record.seconds for part in self.results)

    @property
    def environments(self) -> list[Environment]:
        """Software and machine of each kept configuration."""
        return [part.record.environment for part in self.results]


AnyKept: TypeAlias = KeptGrid | KeptMeasurements


def kept_study(study: PaperStudy, runs: Path | str = RUNS, *, full: bool = False) -> KeptStudy:
    """What lies of a study in the folder of all results; nothing is trained.

    full: of its grids with the paper's sizes. Raises what `kept_grid` does.
    """
    grids = grid_studies(study, runs, Size(full))
    return KeptStudy(study, {name: _kept_grid(name, grid) for name, grid in grids.items()}, full)


def _kept_grid(name: str, grid: AnyGrid) -> AnyKept:
    if not isinstance(grid, MeasuredGrid):
        return kept_grid(name, grid)
    unreadable: list[Unreadable] = []
    lying = grid.kept(lambda folder, error: unreadable.append(Unreadable(folder, error)))
    parts = MeasuredRows(tuple(part for part in lying if part is not None))
    return KeptMeasurements(name, grid, parts, len(grid.configurations), tuple(unreadable))


def kept_grid(name: str, study: Study) -> KeptGrid:
    """What lies in the folder of a grid of cells; nothing is trained.

    A record that cannot be trusted is left out, and named. Raises a SynthbenchError where a cell of
    the grid is not allowed.
    """
    unreadable: list[Unreadable] = []
    lying: dict[str, list[MeasuredCell]] = {}
    folders = sorted(path.parent for path in study.folder.glob(f"*/{RECORD_FILE}"))
    for stored in readable(folders, unreadable.append):
        lying.setdefault(configuration_hash(stored.record.plan), []).append(stored)
    cells = study.cells
    own = [lying.get(configuration_hash(cell.plan()), []) for cell in cells]
    found = [_kept(cell, stored) for cell, stored in zip(cells, own, strict=True)]
    results = [CellResult(measured, reused=True) for measured in found if measured is not None]
    outgrown = sum(bool(o) and one is None for o, one in zip(own, found, strict=True))
    return KeptGrid(name, study, Results(results), len(cells), tuple(unreadable), outgrown)


def _kept(cell: Cell, stored: Sequence[MeasuredCell]) -> MeasuredCell | None:
    """The one with the most seeds of those that were watched as long and as often as asked."""
    asked = cell.protocol
    fitting = [
        each
        for each in stored
        if each.budget >= asked.budget and each.record.protocol["resolution"] <= asked.resolution
    ]
    if not fitting:
        return None
    largest = max(fitting, key=lambda each: len(each.record.replicas))
    return narrowed(largest, len(largest.record.replicas), asked.budget)
