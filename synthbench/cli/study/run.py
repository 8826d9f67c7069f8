"""`synthbench study run STUDY`: train what is missing of its grids, and judge its claims."""

from __future__ import annotations

import shlex
import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from synthbench.cli.continuing import continued_by_the_same_command
from synthbench.cli.importing import without_collection
from synthbench.cli.run_flags import (
    Accelerator,
    Compile,
    Launcher,
    ReplicasPerBlock,
    Resume,
    Trackers,
    Workers,
)
from synthbench.cli.study.arguments import RUNS, Full, Runs, StudyName, runs_flag

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from synthbench.evaluation.settings import Settings
    from synthbench.evaluation.studies.study import Study
    from synthbench.papers.running import AnyGrid


def run_command(  # noqa: PLR0913 - one parameter per flag
    study: StudyName,
    seeds: Annotated[
        int | None,
        typer.Option(
            min=1, help="Replicas of every cell: those that are kept, and more. Default: its own."
        ),
    ] = None,
    full: Full = False,
    grid: Annotated[
        list[str] | None, typer.Option(help="Only this grid; repeatable. Default: all.")
    ] = None,
    runs: Runs = RUNS,
    accelerator: Accelerator = "auto",
    resume: Resume = True,
    replicas_per_block: ReplicasPerBlock = None,
    compile_: Compile = "auto",
    workers: Workers = None,
    launcher: Launcher = None,
    tracker: Trackers = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say how long it would take; train nothing.")
    ] = False,
) -> None:
    """Train what is missing of a paper study, and say which of its claims hold."""
    with without_collection():
        from synthbench.cli.study.verdict_table import print_verdicts
        from synthbench.engine.training.block_training import TrainerOptions
        from synthbench.evaluation.failures import IncompleteError
        from synthbench.evaluation.settings import Settings, read_compile
        from synthbench.papers.evaluating import check_answers
        from synthbench.papers.kept import kept_study
        from synthbench.papers.reading import find_paper_study
        from synthbench.papers.running import Size, grid_studies

    found = find_paper_study(study)
    grids = grid_studies(found, runs, Size(full, seeds), grid or [])
    check_answers(found, grids, full=full)
    settings = Settings(
        TrainerOptions(accelerator),
        resume,
        replicas_per_block,
        trackers=tuple(tracker or ()),
        compile=read_compile(compile_),
        workers=workers,
        launcher=launcher,
    )
    if dry_run:
        _forecast(grids, runs / found.name, settings)
        return
    failure = None
    try:
        _train(grids, settings)
    except IncompleteError as error:
        failure = error
    kept = kept_study(found, runs, full=full)
    if failure is not None and kept.is_empty:
        raise failure
    print_verdicts(kept, f"{shlex.quote(study)}{' --full' if full else ''}{runs_flag(runs)}")
    if failure is not None:
        raise failure


def _forecast(grids: Mapping[str, AnyGrid], folder: Path, settings: Settings) -> None:
    from synthbench.cli.forecast_table import print_grid_forecasts
    from synthbench.papers.measuring import MeasuredGrid

    trained: dict[str, Study] = {}
    for name, each in grids.items():
        if isinstance(each, MeasuredGrid):
            print(f"{name}: {each.forecast()}")
        else:
            trained[name] = each
    if trained:
        print_grid_forecasts(trained, folder, settings)


def _train(grids: Mapping[str, AnyGrid], settings: Settings) -> None:
    from synthbench.papers.running import run_paper_study

    with continued_by_the_same_command(partial(print, file=sys.stderr)):
        run_paper_study(grids, settings)
