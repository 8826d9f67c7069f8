"""`synthbench eval`: train, measure, record, and show."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from synthbench.cli.absent_plugins import say_set_aside
from synthbench.cli.completion import (
    complete_model,
    complete_probe,
    complete_suite,
    complete_task,
)
from synthbench.cli.continuing import continued_by_the_same_command
from synthbench.cli.importing import without_collection
from synthbench.cli.protocol_flags import takes_protocol_flags
from synthbench.cli.run_flags import (
    Accelerator,
    CellNumbers,
    Compile,
    Launcher,
    ReplicasPerBlock,
    Resume,
    Trackers,
    Workers,
)
from synthbench.cli.study_flags import asked_for, print_study


@takes_protocol_flags
def eval_command(  # noqa: PLR0913 - one parameter per flag
    suite: Annotated[
        str | None,
        typer.Argument(
            metavar="SUITE|STUDY.toml",
            help="A suite (see `synthbench list suites`), or a study file: flags go before what "
            "it says.",
            autocompletion=complete_suite,
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            help="For example 'mlp width=[100,200] lr=0.05'; repeatable.",
            autocompletion=complete_model,
        ),
    ] = None,
    task: Annotated[
        list[str] | None,
        typer.Option(
            "--task",
            "-t",
            help="Instead of a suite: 'sparse-parity n=[20,30] k=3'; repeatable.",
            autocompletion=complete_task,
        ),
    ] = None,
    cell: CellNumbers = None,
    probe: Annotated[
        list[str] | None,
        typer.Option(
            "--probe",
            "-p",
            help="Measured while training; repeatable.",
            autocompletion=complete_probe,
        ),
    ] = None,
    changes: Mapping[str, Any] = {},
    accelerator: Accelerator = "auto",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for the results. Default: runs.")
    ] = None,
    resume: Resume = True,
    replicas_per_block: ReplicasPerBlock = None,
    keep_weights: Annotated[
        str | None,
        typer.Option(
            metavar="last|all|STEPS",
            help="Store every replica's weights at its last evaluation, at all, or also at the "
            "last ones at or before some steps: 0,500,2000.",
        ),
    ] = None,
    teacher: Annotated[
        str | None,
        typer.Option(
            metavar="SOURCE",
            help="Train on the outputs of a finished cell: its folder, or a model of the same "
            "task, trained first if missing; '@500,last' after it names the checkpoints that "
            "teach in turn. Default: last.",
        ),
    ] = None,
    temperature: Annotated[
        float | None, typer.Option(help="Divides the teacher's and student's logits. Default: 1.")
    ] = None,
    hard: Annotated[
        float | None,
        typer.Option(help="Share of the recipe's own loss beside the teacher's. Default: 0."),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            metavar="SOURCE",
            help="Begin with the weights of a finished cell, 'mlp width=200@500' at step 500.",
        ),
    ] = None,
    mask: Annotated[
        str | None,
        typer.Option(
            metavar="SOURCE",
            help="Prune the weights that are smallest in a finished cell, for the whole training.",
        ),
    ] = None,
    sparsity: Annotated[
        str | None, typer.Option(help="Share of the weights that --mask removes, or several.")
    ] = None,
    mask_scope: Annotated[
        str | None,
        typer.Option(
            metavar="global|layer",
            help="Prune among all weights together, or in each tensor. Default: global.",
        ),
    ] = None,
    compile_: Compile = "auto",
    workers: Workers = None,
    launcher: Launcher = None,
    checkpoint_seconds: Annotated[
        float, typer.Option(min=0, help="Time between checkpoints.")
    ] = 30.0,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Check and measure everything, and say how long it would take; train nothing.",
        ),
    ] = False,
    print_config: Annotated[
        bool,
        typer.Option(
            "--print-config", help="Write the study file of this command line; train nothing."
        ),
    ] = False,
    wandb: Annotated[
        str | None,
        typer.Option(metavar="[ENTITY/]PROJECT", help="Log every cell as a Weights & Biases run."),
    ] = None,
    tracker: Trackers = None,
) -> None:
    """Train models on suites and tasks, hundreds of seeds at once, and measure how they learn.

    Any field of a task or a model, and any flag about how cells are measured
    but --seeds and --first-seed, takes several values: '[50,100,200]',
    'log(0.01..1,7)' or 'linear(0..1,5)'. Each combination is a cell.
    """
    trackers = [*([] if wandb is None else [wandb_reference(wandb)]), *(tracker or [])]
    if not (dry_run or print_config):
        _require_ready(trackers)
    with without_collection():
        from synthbench.cli.eval_table import print_results
        from synthbench.engine.training.block_training import TrainerOptions
        from synthbench.evaluation.failures import CellsFailedError
        from synthbench.evaluation.settings import Settings, read_compile
        from synthbench.evaluation.studies.reading import as_study
        from synthbench.evaluation.studies.study import evaluate_study
        from synthbench.listeners.watching import watching
        from synthbench.registry.registry import installed

        installed()  # What plugins provide is imported too.
    say_set_aside()

    flags = {
        "tasks": task,
        "models": model,
        "probes": probe,
        "cells": cell,
        "out": None if out is None else str(out),
        "keep_weights": keep_weights,
        "teacher": teacher,
        "temperature": temperature,
        "hard": hard,
        "start": start,
        "mask": mask,
        "sparsity": sparsity,
        "mask_scope": mask_scope,
    }
    file = asked_for(suite, flags, changes)
    study = as_study(file)
    if print_config:
        print_study(study, file)
        return
    settings = Settings(
        TrainerOptions(accelerator, checkpoint_seconds=checkpoint_seconds),
        resume,
        replicas_per_block,
        study.keep_weights,
        trackers=tuple(trackers),
        compile=read_compile(compile_),
        workers=workers,
        launcher=launcher,
    )
    if dry_run:
        from synthbench.cli.forecast_table import print_study_forecast

        print_study_forecast(study, settings)
        return
    with watching() as listener:
        settings = replace(settings, listener=listener)
        if len(study.cells) > 1:
            listener.note(study.summary())
        failure = None
        with continued_by_the_same_command(listener.note):
            try:
                results = evaluate_study(study, settings=settings)
            except CellsFailedError as error:
                results, failure = error.results, error
    if results:
        print_results(results, study.folder)
    if failure is not None:
        raise failure


def _require_ready(trackers: Sequence[str]) -> None:
    """Say at once, not after seconds of importing, where a tracker could send nothing."""
    from synthbench.registry.registry import installed

    for reference in trackers:
        installed().tracker(reference).ready()


def wandb_reference(project: str) -> str:
    """The reference of the W&B tracker, whatever characters the project's name has."""
    return f"wandb project={shlex.quote(json.dumps(project))}"
