"""`synthbench tune`: search for good configurations on seeds that do not rank."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from synthbench.cli.completion import complete_model, complete_suite, complete_task
from synthbench.cli.continuing import continued_by_the_same_command
from synthbench.cli.importing import without_collection
from synthbench.cli.protocol_flags import changed_protocol, parse_count
from synthbench.cli.run_flags import (
    Accelerator,
    CellNumbers,
    Compile,
    Launcher,
    ReplicasPerBlock,
    Workers,
)
from synthbench.errors import ConfigurationError

if TYPE_CHECKING:
    from synthbench.plan.suite import Suite
    from synthbench.tuning.plan import TunedTask, TuningPlan


def tune_command(  # noqa: PLR0913 - one parameter per flag
    suite: Annotated[
        str | None,
        typer.Argument(
            help="A suite: each of its cells is tuned by itself.", autocompletion=complete_suite
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            help="A model and what to search: 'mlp lr=log(1e-3..1) width=[50,100]'; repeatable.",
            autocompletion=complete_model,
        ),
    ] = None,
    task: Annotated[
        list[str] | None,
        typer.Option(
            "--task",
            "-t",
            help="Instead of a suite: 'sparse-parity n=30 k=3'; repeatable.",
            autocompletion=complete_task,
        ),
    ] = None,
    cell: CellNumbers = None,
    trials: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Configurations of each model on each task; later more may be added. Default: "
            "20, of a grid all.",
        ),
    ] = None,
    sampler: Annotated[
        str,
        typer.Option(
            metavar="quasi-random|grid|random|tpe",
            help="How configurations are proposed: spread evenly, all of a grid, at random, or "
            "by Parzen estimators from how earlier ones did.",
        ),
    ] = "quasi-random",
    sampler_seed: Annotated[int, typer.Option(min=0, help="Of the sampler's draws.")] = 0,
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Replicas of each trial. Default: 8.")
    ] = None,
    first_seed: Annotated[
        int | None,
        typer.Option(
            min=0, help="Replica r of a trial has seed first_seed + r. Default: 1,000,000."
        ),
    ] = None,
    budget: Annotated[
        int | None,
        typer.Option(
            parser=parse_count,
            metavar="SAMPLES",
            help="Training samples per replica. Default: 640000, or the suite's or preset's.",
        ),
    ] = None,
    train_samples: Annotated[
        int | None,
        typer.Option(
            parser=parse_count,
            metavar="SAMPLES",
            help="Train on so many samples, reshuffled every epoch; default: on fresh ones, or as "
            "the suite says.",
        ),
    ] = None,
    score: Annotated[
        str | None, typer.Option(help="The score that counts. Default: the task's first.")
    ] = None,
    evaluation_samples: Annotated[
        int | None, typer.Option(min=1, help="Held-out samples per replica. Default: 1024.")
    ] = None,
    confirm: Annotated[
        bool,
        typer.Option(
            "--confirm",
            help="Train the best configuration of each model on fresh seeds, the suite's own or "
            "0, 1, ..., and compare them.",
        ),
    ] = False,
    confirm_seeds: Annotated[
        int | None,
        typer.Option(min=1, help="Replicas of the confirmation. Default: 32, or the suite's."),
    ] = None,
    workers: Workers = None,
    launcher: Launcher = None,
    accelerator: Accelerator = "auto",
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder of this tuning. Default: runs/tune-NAME."),
    ] = None,
    replicas_per_block: ReplicasPerBlock = None,
    compile_: Compile = "auto",
) -> None:
    """Search for the best configuration of each model, on seeds that are not the ranked ones."""
    with without_collection():
        from synthbench.cli.tune_tables import (
            print_confirmation,
            print_plan,
            print_round,
            print_searches,
        )
        from synthbench.engine.training.block_training import TrainerOptions
        from synthbench.evaluation.settings import Settings, read_compile
        from synthbench.tuning.confirm import confirm as confirm_winners
        from synthbench.tuning.confirm import fresh_seeds
        from synthbench.tuning.plan import TuningPlan, refuse_ranked_seeds, trials_of
        from synthbench.tuning.proposals import read_sampler
        from synthbench.tuning.tune import trials_failed, tune

    if confirm_seeds is not None and not confirm:
        raise ConfigurationError("--confirm-seeds goes with --confirm")
    given = {
        "seeds": seeds,
        "first_seed": first_seed,
        "budget": budget,
        "train_samples": train_samples,
        "score": score,
        "evaluation_samples": evaluation_samples,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    chosen = None if suite is None else _suite(suite)
    tasks = _tuned_tasks(chosen, task or [], cell or [], changes)
    if not model:
        raise ConfigurationError("say what to search: --model 'mlp lr=log(1e-3..1)'")
    plan = TuningPlan(tasks, tuple(model), read_sampler(sampler), sampler_seed, chosen)
    count = fresh_seeds(chosen) if confirm_seeds is None else confirm_seeds
    refuse_ranked_seeds(tasks[0].protocol.first_seed, count, chosen)
    wanted = trials or trials_of(plan)
    folder = out or Path("runs") / f"tune-{_name(plan)}"
    settings = Settings(
        TrainerOptions(accelerator),
        replicas_per_block=replicas_per_block,
        compile=read_compile(compile_),
        workers=workers,
        launcher=launcher,
    )
    print_plan(plan, wanted)
    with continued_by_the_same_command(Console(stderr=True).print):
        searches = tune(plan, wanted, folder, settings, print_round)
        confirmed = confirm_winners(plan, searches, folder, settings, count) if confirm else None
    print_searches(plan, searches, wanted, folder)
    if confirmed is not None:
        print_confirmation(confirmed, chosen, folder)
    if any(search.failed for search in searches):
        raise trials_failed([trial for search in searches for trial in search.tried])


def _suite(name: str) -> Suite:
    from synthbench.registry.registry import installed

    return installed().suite(name)


def _tuned_tasks(
    suite: Suite | None, tasks: Sequence[str], numbers: Sequence[int], changes: Mapping[str, Any]
) -> tuple[TunedTask, ...]:
    """The suite's cells or the tasks, one for each value of a field that has several.

    What a task's preset says of the protocol holds unless a flag does.
    """
    from synthbench.evaluation.planning import preset_protocol
    from synthbench.plan.protocol import Protocol
    from synthbench.plan.suite import suite_protocol
    from synthbench.registry.kinds import TASK
    from synthbench.registry.registry import installed
    from synthbench.tuning.plan import on_tuning_seeds, tuned_on_suite, tuned_on_tasks

    if suite is not None and tasks:
        raise ConfigurationError("name either a suite or --task, not both")
    if suite is not None:
        shared = changed_protocol(lambda: suite_protocol(suite, on_tuning_seeds(changes)))
        return tuned_on_suite(suite, shared, numbers)
    if numbers:
        raise ConfigurationError("--cell chooses cells of a suite; name one")
    if not tasks:
        raise ConfigurationError(
            "name a suite, or a task: synthbench tune quickstart --model 'mlp lr=log(1e-3..1)', or "
            "synthbench tune --task 'sparse-parity n=30 k=3' --model 'mlp lr=log(1e-3..1)'"
        )
    found: list[TunedTask] = []
    for task in tasks:
        wanted = on_tuning_seeds({**preset_protocol(task), **changes})
        protocol = changed_protocol(partial(Protocol, **wanted))
        found += tuned_on_tasks(installed().space(TASK, task).points(), protocol)
    return tuple(found)


def _name(plan: TuningPlan) -> str:
    names = dict.fromkeys(each.task.name for each in plan.tasks)
    return plan.suite.name if plan.suite is not None else "-".join(names)
