"""`synthbench eval`: train, measure, record, and show."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synthbench.cli.importing import without_collection
from synthbench.cli.protocol_flags import changed_protocol, takes_protocol_flags
from synthbench.cli.source_flags import SourceFlags, parse_keep_weights, standing_cells
from synthbench.errors import ConfigurationError

if TYPE_CHECKING:
    from synthbench.evaluation.settings import Settings
    from synthbench.plan.cell import Cell
    from synthbench.plan.suite import Suite


@takes_protocol_flags
def eval_command(  # noqa: PLR0913 - one parameter per flag
    suite: Annotated[
        str | None, typer.Argument(help="A suite: see `synthbench list suites`.")
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", "-m", help="For example 'mlp width=200 lr=0.05'; repeatable."),
    ] = None,
    task: Annotated[
        list[str] | None,
        typer.Option(
            "--task", "-t", help="Instead of a suite: 'sparse-parity n=30 k=3'; repeatable."
        ),
    ] = None,
    cell: Annotated[
        list[int] | None,
        typer.Option(min=1, help="Only this cell of the suite, 1 for the first; repeatable."),
    ] = None,
    probe: Annotated[
        list[str] | None, typer.Option("--probe", "-p", help="Measured while training; repeatable.")
    ] = None,
    changes: Mapping[str, Any] = {},
    accelerator: Annotated[
        str, typer.Option("--accelerator", "--device", help="Lightning's flag: auto, cpu, gpu, ...")
    ] = "auto",
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")] = Path(
        "runs"
    ),
    resume: Annotated[
        bool, typer.Option(help="Reuse finished cells and continue unfinished ones.")
    ] = True,
    replicas_per_block: Annotated[
        int | None, typer.Option(min=1, help="Replicas trained at once; default: measured.")
    ] = None,
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
        float | None, typer.Option(help="Share of the weights that --mask removes.")
    ] = None,
    mask_scope: Annotated[
        str | None,
        typer.Option(
            metavar="global|layer",
            help="Prune among all weights together, or in each tensor. Default: global.",
        ),
    ] = None,
    compile_: Annotated[
        str,
        typer.Option(
            "--compile",
            metavar="auto|always|never",
            help="Compile the training step: auto does where that saves time. Last bits differ.",
        ),
    ] = "auto",
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
    wandb: Annotated[
        str | None,
        typer.Option(metavar="[ENTITY/]PROJECT", help="Log every cell as a Weights & Biases run."),
    ] = None,
    tracker: Annotated[
        list[str] | None,
        typer.Option(help="Log elsewhere: see `synthbench list trackers`; repeatable."),
    ] = None,
) -> None:
    """Train models on a suite or a task, hundreds of seeds at once, and measure how they learn."""
    with without_collection():
        from synthbench.cli.eval_table import print_results
        from synthbench.engine.training.block_training import TrainerOptions
        from synthbench.evaluation.evaluate import evaluate_cells
        from synthbench.evaluation.settings import Settings, read_compile
        from synthbench.listeners.watching import watching
        from synthbench.registry.registry import installed

        installed()  # What plugins provide is imported too.

    if cell and suite is None:
        raise ConfigurationError("--cell chooses cells of a suite; name one")
    chosen, name, cells = _plan(
        None if suite is None else _suite(suite, probe or []),
        task or [],
        model or [],
        probe or [],
        changes,
        cell or [],
    )
    flags = SourceFlags(teacher, temperature, hard, start, mask, sparsity, mask_scope)
    cells = standing_cells(cells, flags)
    trackers = [wandb_reference(wandb)] if wandb is not None else []
    settings = Settings(
        TrainerOptions(accelerator, checkpoint_seconds=checkpoint_seconds),
        resume,
        replicas_per_block,
        parse_keep_weights(keep_weights),
        trackers=(*trackers, *(tracker or [])),
        compile=read_compile(compile_),
    )
    if dry_run:
        _forecast(cells, out / name, settings)
        return
    with watching() as listener:
        settings = replace(settings, listener=listener)
        try:
            results = evaluate_cells(cells, out / name, settings, chosen)
        except KeyboardInterrupt:
            listener.note("interrupted; the same command continues where it stopped")
            raise typer.Exit(130) from None
    print_results(results, out / name)


def _forecast(cells: Sequence[Cell], folder: Path, settings: Settings) -> None:
    from synthbench.cli.forecast_table import print_forecasts
    from synthbench.engine.training.device import find_device
    from synthbench.evaluation.forecast import forecast_cells

    forecasts = forecast_cells(cells, folder, settings)
    measured = find_device(settings.trainer.accelerator).type == "cuda"
    print_forecasts(forecasts, folder, measured)


def _plan(
    suite: Suite | None,
    tasks: list[str],
    models: list[str],
    probes: list[str],
    changes: Mapping[str, Any],
    numbers: list[int],
) -> tuple[Suite | None, str, list[Cell]]:
    """The suite if one is named, the folder name under --out, and the cells."""
    from synthbench.evaluation.planning import plan_cells, plan_suite
    from synthbench.plan.protocol import Protocol
    from synthbench.plan.suite import suite_protocol

    if suite is None:
        if not (tasks and models):
            raise ConfigurationError(
                "name a suite, or a task and a model: synthbench eval quickstart, or "
                "synthbench eval --task 'sparse-parity n=30 k=3' --model mlp"
            )
        protocol = changed_protocol(lambda: Protocol(**changes))
        cells = plan_cells(tasks, models, protocol, probes)
        return None, "-".join(dict.fromkeys(cell.task.name for cell in cells)), cells
    if tasks:
        raise ConfigurationError("name either a suite or --task, not both")
    protocol = changed_protocol(lambda: suite_protocol(suite, changes))
    return suite, suite.name, plan_suite(suite, models or suite.models, protocol, numbers)


def wandb_reference(project: str) -> str:
    """The reference of the W&B tracker, whatever characters the project's name has."""
    return f"wandb project={shlex.quote(json.dumps(project))}"


def _suite(name: str, probes: list[str]) -> Suite:
    """The suite of that name, with the probes that were asked for."""
    from synthbench.registry.registry import installed

    suite = installed().suite(name)
    return suite.model_copy(update={"probes": (*suite.probes, *probes)}) if probes else suite
