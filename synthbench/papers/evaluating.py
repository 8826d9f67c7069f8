"""A paper study in one call: checked whole, then trained and measured."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from synthbench.evaluation.settings import Settings
from synthbench.measurements.rows import MeasuredRows
from synthbench.papers.drawable import check_figures
from synthbench.papers.expected_columns import expected_columns
from synthbench.papers.judgeable import check_claims
from synthbench.papers.running import RUNS, AnyGrid, Size, grid_studies, run_paper_study
from synthbench.plan.paper_study import PaperStudy
from synthbench.results.results import Results


def evaluate_paper_study(
    study: PaperStudy,
    *,
    out: Path | str = RUNS,
    full: bool = False,
    seeds: int | None = None,
    settings: Settings | None = None,
) -> dict[str, Results | MeasuredRows]:
    """Train, or measure, what is missing of every grid of a paper study; results by grid.

    out: the folder of all results; those of a grid go to OUT/STUDY/GRID, as on the command line.
    full: with the paper's sizes. seeds: replicas of every cell; none: as the study says. Raises a
    SynthbenchError before anything trains where a grid is not allowed, or a figure or a claim asks
    for what no result will have, and GridsFailedError, with the results of what could be trained,
    where a grid or a cell of it fails later.
    """
    grids = grid_studies(study, out, Size(full, seeds))
    check_answers(study, grids, full=full)
    return run_paper_study(grids, settings)


def check_answers(study: PaperStudy, grids: Mapping[str, AnyGrid], *, full: bool = False) -> None:
    """Raise, with the line, for what a figure or a claim asks and no result of its grid will have.

    grids: those that are to be trained; full: of the paper's sizes. As `check_figures` and
    `check_claims`.
    """
    expected = expected_columns(grids)
    check_figures(study, expected)
    check_claims(study, expected, full=full)
