"""`synthbench eval`: train, measure, record, and show."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synthbench.errors import ConfigurationError

if TYPE_CHECKING:
    from synthbench.plan.cell import Cell, Protocol
    from synthbench.plan.suite import Suite

SUFFIXES = {"k": 1_000, "M": 1_000_000, "G": 1_000_000_000}


def parse_count(text: str) -> int:
    """`640k`, `1.5M` or `20000` as an integer."""
    number, factor = (text[:-1], SUFFIXES[text[-1]]) if text[-1:] in SUFFIXES else (text, 1)
    try:
        value = float(number.replace("_", "")) * factor
    except ValueError:
        value = -1.0
    if not (1 <= value < 2**63 and value == int(value)):
        raise typer.BadParameter(f"{text!r} is not a number of samples such as 20000, 640k or 2M")
    return int(value)


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
    seeds: Annotated[int | None, typer.Option(min=1, help="Replicas per cell.")] = None,
    first_seed: Annotated[int, typer.Option(min=0, help="Seed of the first replica.")] = 0,
    initializations: Annotated[
        int | None,
        typer.Option(min=2, help="Cross this many initializations with the data streams."),
    ] = None,
    budget: Annotated[
        int | None,
        typer.Option(
            parser=parse_count, metavar="SAMPLES", help="Training samples per replica: 640k, 2M."
        ),
    ] = None,
    train_samples: Annotated[
        int | None,
        typer.Option(
            parser=parse_count,
            metavar="SAMPLES",
            help="Train on this many samples, reshuffled every epoch; default: fresh ones.",
        ),
    ] = None,
    evaluation_samples: Annotated[
        int | None, typer.Option(min=1, help="Held-out samples per replica; default 1024.")
    ] = None,
    until: Annotated[
        str, typer.Option(help="When a replica stops: 'solved' or 'budget'.")
    ] = "solved",
    accelerator: Annotated[
        str, typer.Option("--accelerator", "--device", help="Lightning's flag: auto, cpu, gpu, ...")
    ] = "auto",
    precision: Annotated[
        str, typer.Option(help="Lightning's flag: 32-true, 64-true, bf16-true, bf16-mixed.")
    ] = "32-true",
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
        bool, typer.Option("--keep-weights", help="Store every replica's final weights.")
    ] = False,
    checkpoint_seconds: Annotated[
        float, typer.Option(min=0, help="Time between checkpoints.")
    ] = 30.0,
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
    from synthbench.cli.eval_table import print_results
    from synthbench.engine.training.block import TrainerOptions
    from synthbench.evaluation.cell_run import Settings
    from synthbench.evaluation.evaluate import evaluate_cells
    from synthbench.listeners.terminal import TerminalListener

    if cell and suite is None:
        raise ConfigurationError("--cell chooses cells of a suite; name one")
    chosen, name, cells = _plan(
        None if suite is None else _suite(suite, probe or []),
        task or [],
        model or [],
        probe or [],
        {
            "seeds": seeds,
            "first_seed": first_seed,
            "initializations": initializations,
            "budget": budget,
            "train_samples": train_samples,
            "evaluation_samples": evaluation_samples,
            "until": until,
            "precision": precision,
        },
        cell or [],
    )
    trackers = [wandb_reference(wandb)] if wandb is not None else []
    with TerminalListener(len(cells)) as listener:
        settings = Settings(
            TrainerOptions(accelerator, checkpoint_seconds=checkpoint_seconds),
            resume,
            replicas_per_block,
            keep_weights,
            listener,
            (*trackers, *(tracker or [])),
        )
        try:
            results = evaluate_cells(cells, out / name, settings, chosen)
        except KeyboardInterrupt:
            listener.note("interrupted; the same command continues where it stopped")
            raise typer.Exit(130) from None
    print_results(results, out / name)


def _plan(
    suite: Suite | None,
    tasks: list[str],
    models: list[str],
    probes: list[str],
    options: dict[str, Any],
    numbers: list[int],
) -> tuple[Suite | None, str, list[Cell]]:
    """The suite if one is named, the folder name under --out, and the cells."""
    from synthbench.evaluation.evaluate import plan_suite
    from synthbench.plan.cell import Cell, Protocol
    from synthbench.plan.suite import suite_protocol
    from synthbench.registry.registry import installed

    registry = installed()
    given = {key: value for key, value in options.items() if value is not None}
    if suite is None:
        if not (tasks and models):
            raise ConfigurationError(
                "name a suite, or a task and a model: synthbench eval quickstart, or "
                "synthbench eval --task 'sparse-parity n=30 k=3' --model mlp"
            )
        measured = tuple(registry.probe(reference) for reference in probes)
        built = [registry.task(reference) for reference in tasks]
        protocol = _checked(lambda: Protocol(**given))
        cells = [Cell(t, registry.model(m), protocol, measured) for t in built for m in models]
        return None, "-".join(dict.fromkeys(t.name for t in built)), cells
    if tasks:
        raise ConfigurationError("name either a suite or --task, not both")
    protocol = _checked(lambda: suite_protocol(suite, given))
    return suite, suite.name, plan_suite(suite, models or suite.models, protocol, numbers)


def wandb_reference(project: str) -> str:
    """The reference of the W&B tracker, whatever characters the project's name has."""
    return f"wandb project={shlex.quote(json.dumps(project))}"


def _suite(name: str, probes: list[str]) -> Suite:
    """The suite of that name, with the probes that were asked for."""
    from synthbench.registry.registry import installed

    suite = installed().suite(name)
    return suite.model_copy(update={"probes": (*suite.probes, *probes)}) if probes else suite


def _checked(make: Callable[[], Protocol]) -> Protocol:
    from pydantic import ValidationError

    try:
        return make()
    except ValidationError as error:
        first = error.errors()[0]
        option = "--" + str(first["loc"][0]).replace("_", "-")
        message = first["msg"][:1].lower() + first["msg"][1:]
        raise ConfigurationError(f"{option} {first['input']}: {message}") from None
