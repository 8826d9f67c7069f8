"""Training or measuring the grids of a paper study, each into a folder of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from synthbench.errors import (
    DiskError,
    LaunchError,
    SynthbenchError,
    UnknownNameError,
    did_you_mean,
)
from synthbench.evaluation.failures import (
    CellsFailedError,
    GridsFailedError,
    MeasurementsFailedError,
)
from synthbench.evaluation.settings import Settings
from synthbench.evaluation.studies.reading import as_study
from synthbench.evaluation.studies.study import Study, evaluate_study
from synthbench.listeners.watching import watching
from synthbench.measurements.rows import MeasuredRows
from synthbench.papers.measuring import MeasuredGrid, measure_grid
from synthbench.plan.paper_study import PaperStudy
from synthbench.plan.study.measured_file import MeasuredFile
from synthbench.results.results import Results

RUNS = "runs"
"""Folder of the results, in which every study has one."""
AnyGrid: TypeAlias = "Study | MeasuredGrid"
"""Cells that are trained, or configurations that are measured."""


@dataclass(frozen=True)
class Size:
    """How large a study is.

    full: the paper's sizes, where the study has smaller ones. seeds: of every grid; none: as it
    says.
    """

    full: bool = False
    seeds: int | None = None


def grid_studies(
    study: PaperStudy, out: Path | str = RUNS, size: Size = Size(), grids: Sequence[str] = ()
) -> dict[str, AnyGrid]:
    """The grids of a paper study by name; results of one go to OUT/STUDY/GRID.

    grids: only these; none: all. Raises UnknownNameError for a grid that there is not, and
    ConfigurationError for a number of seeds that is not allowed.
    """
    for name in grids:
        if name not in study.grids:
            raise UnknownNameError(
                f'"{study.name}" has no grid "{name}"{did_you_mean(name, study.grids)} '
                f"(grids: {', '.join(study.grids)})"
            )
    wanted = [name for name in study.grids if name in grids or not grids]
    return {name: _grid_study(study, name, Path(out), size) for name in wanted}


def _grid_study(study: PaperStudy, name: str, out: Path, size: Size) -> AnyGrid:
    grid = study.grids[name].full if size.full else study.grids[name].small
    if isinstance(grid, MeasuredFile):
        seeds = grid.seeds if size.seeds is None else size.seeds
        return MeasuredGrid(grid.measurements, seeds, out / study.name / name)
    changes: dict[str, object] = {"name": name, "out": str(out / study.name)}
    if size.seeds is not None:
        changes["protocol"] = {"seeds": size.seeds}
    return as_study(grid.changed(changes))


def run_paper_study(
    grids: Mapping[str, AnyGrid], settings: Settings | None = None
) -> dict[str, Results | MeasuredRows]:
    """Train, or measure, what is missing of some grids, one after another; results by grid.

    grids: as `grid_studies` makes them. Replicas that are kept are not trained again. Raises
    before anything trains where a grid is not allowed. One that fails later, or a cell of it, does
    not keep the others from being trained: GridsFailedError then says which, and why, and has the
    results of the others. A single grid raises its own error.
    """
    settings = settings or Settings()
    for grid in grids.values():
        _ = grid.configurations if isinstance(grid, MeasuredGrid) else grid.plan
    found: dict[str, Results | MeasuredRows] = {}
    failed: dict[str, SynthbenchError] = {}
    for name, grid in grids.items():
        try:
            found[name] = _run(name, grid, settings)
        # Without room, or workers, no other grid would be better off.
        except (DiskError, LaunchError):
            raise
        except SynthbenchError as error:
            if len(grids) == 1:
                raise
            failed[name] = error
            if isinstance(error, CellsFailedError | MeasurementsFailedError) and error.results:
                found[name] = error.results
    if failed:
        raise GridsFailedError(found, failed)
    return found


def _run(name: str, grid: AnyGrid, settings: Settings) -> Results | MeasuredRows:
    # A listener hears of one evaluation: its counts are of that one.
    with watching(settings.listener) as listener:
        listener.note(f"{name}: {grid.summary()}")
        if isinstance(grid, MeasuredGrid):
            return measure_grid(grid, listener, resume=settings.resume)
        return evaluate_study(grid, settings=replace(settings, listener=listener))
