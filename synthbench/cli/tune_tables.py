"""What `synthbench tune` prints."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from synthbench.metrics.formatting import format_count, format_time_to_target
from synthbench.plan.cell import Cell
from synthbench.plan.protocol import Protocol
from synthbench.plan.space import Space
from synthbench.plan.suite import Suite
from synthbench.results.terminal_table import WIDTH
from synthbench.tuning.confirm import Confirmation
from synthbench.tuning.picture import try_tuning_pictures
from synthbench.tuning.plan import TuningPlan
from synthbench.tuning.proposals import size
from synthbench.tuning.trial import Trial
from synthbench.tuning.tune import Search

SHOWN = 10
"""Trials of a search in its table."""
MOST_COLUMNS = 4
"""Searched fields that have a column each."""
SEARCHED = "searched fields"
WORDS = {"lower": ("low", "smaller"), "upper": ("high", "larger")}
FLAGS = ("budget", "train_samples", "score", "evaluation_samples")
"""Of a protocol, those that `synthbench eval` needs to measure a task as the trials did."""


def print_plan(plan: TuningPlan, trials: int) -> None:
    """`2 models x 1 task, 20 trials of 8 seeds each: 320 replicas`, before anything trains."""
    models, tasks, seeds = len(plan.models), len(plan.tasks), plan.tasks[0].protocol.seeds
    each = [int(min(trials, size(space))) for space in plan.spaces]
    console = Console(width=WIDTH, highlight=False)
    console.print(
        f"{_count(models, 'model')} x {_count(tasks, 'task')}, {_count(max(each), 'trial')} of "
        f"{_count(seeds, 'seed')} each: {sum(each) * tasks * seeds:,} replicas"
    )
    if plan.suite is not None and max(each) > plan.suite.tuning_trials:
        console.print(
            f'[yellow]warning:[/] "{plan.suite.name}" ranks models tuned with at most '
            f"{plan.suite.tuning_trials} trials for each cell",
            soft_wrap=True,
        )


def print_round(cells: Sequence[Cell]) -> None:
    """`16 trials, each to 3k samples`, where their progress is shown; tasks may have 3k..20k."""
    budgets = {cell.protocol.budget for cell in cells}
    ends = dict.fromkeys(format_count(each) for each in (min(budgets), max(budgets)))
    Console(stderr=True, highlight=False).print(
        f"{_count(len(cells), 'trial')}, each to {'..'.join(ends)} samples", soft_wrap=True
    )


def print_searches(plan: TuningPlan, searches: Sequence[Search], trials: int, folder: Path) -> None:
    """A table for each search, then what was spent and how to use what was found."""
    suite = plan.suite
    console = Console(width=WIDTH, highlight=False)
    for search in searches:
        console.print(_title(search), soft_wrap=True)
        console.print(_table(search))
        for line in _notes(search, trials):
            console.print(line, soft_wrap=True)
    console.print(_spent(searches), soft_wrap=True)
    for name, problem in try_tuning_pictures(plan, searches, folder).items():
        shown = f"none, {problem}" if problem else str(folder / name)
        console.print(f"picture: {escape(shown)}", soft_wrap=True)
    console.print(f"trials: {escape(str(folder))}", soft_wrap=True)
    console.print("the winners on fresh seeds, as --confirm trains them:", style="dim")
    for line in commands(searches, suite):
        console.print(f"  {escape(line)}", style="dim", soft_wrap=True)


def print_confirmation(found: Confirmation, suite: Suite | None, tuned: Path) -> None:
    """The winners on fresh seeds, how they compare, and how to submit them."""
    console = Console(width=WIDTH, highlight=False)
    console.print("\n[bold]On fresh seeds[/]")
    print(repr(found.results))
    if found.comparisons:
        print(repr(found.comparisons))
    for folder in found.folders:
        console.print(f"records: {escape(str(folder))}", soft_wrap=True)
        if suite is not None:
            command = ["synthbench", "leaderboard", "submit", str(folder), "--track", "tuned"]
            command += ["--trials", str(tuned), "--author", "NAME"]
            console.print(f"  submit: {escape(shlex.join(command))}", style="dim", soft_wrap=True)


def commands(searches: Sequence[Search], suite: Suite | None) -> list[str]:
    """The commands that evaluate each winner on fresh seeds, as one would type them."""
    return list(dict.fromkeys(shlex.join(_command(each, suite)) for each in searches))


def _command(search: Search, suite: Suite | None) -> list[str]:
    model = ["--model", search.best.cell.model.label()]
    protocol = search.tuned.protocol
    if suite is not None:
        own = ["--cell", str(search.tuned.number)] if len(suite.cells) > 1 else []
        row = suite.cells[(search.tuned.number or 1) - 1]
        usual = {
            "budget": row.budget,
            "train_samples": row.train_samples,
            "score": row.score,
            "evaluation_samples": suite.evaluation_samples,
        }
        return ["synthbench", "eval", suite.name, *own, *model, *_flags(protocol, usual)]
    usual = {name: getattr(Protocol(), name) for name in FLAGS}
    task = ["--task", search.tuned.task.label()]
    return ["synthbench", "eval", *task, *model, *_flags(protocol, usual)]


def _flags(protocol: Protocol, usual: Mapping[str, object]) -> list[str]:
    """The flags of what is not as usual."""
    given = {name: getattr(protocol, name) for name in FLAGS}
    return [
        word
        for name, value in given.items()
        if value != usual[name]
        for word in (f"--{name.replace('_', '-')}", str(value))
    ]


def _title(search: Search) -> str:
    protocol = search.tuned.protocol
    return (
        f"\n[bold]{escape(search.tuned.task.label())}[/]  {escape(search.model)}\n"
        f"{_count(len(search.tried), 'trial')} of {_count(protocol.seeds, 'seed')} from "
        f"{protocol.first_seed:,}, budget {format_count(protocol.budget)} samples"
    )


def _table(search: Search) -> Table:
    varied = _columns(search.space)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for heading in ("", "trial", *varied, "solved", "samples to target", "spent"):
        words = heading == SEARCHED
        table.add_column(heading, justify="left" if words else "right", no_wrap=not words)
    for place, trial in enumerate(search.ranking[:SHOWN], start=1):
        fields = _fields(trial, varied)
        table.add_row(str(place), str(trial.number), *map(escape, [*fields, *_row(trial)]))
    return table


def _columns(space: Space) -> tuple[str, ...]:
    """One for each searched field or, where these are many, one for all."""
    return space.varied if len(space.varied) <= MOST_COLUMNS else (SEARCHED,)


def _fields(trial: Trial, columns: Sequence[str]) -> list[str]:
    fields = trial.proposal.fields
    if SEARCHED in columns:
        return [" ".join(f"{key}={value}" for key, value in fields.items())]
    return [fields[key] for key in columns]


def _row(trial: Trial) -> list[str]:
    known = trial.known
    median, interval = format_time_to_target(trial.samples_to_target, known.samples)
    solved = f"{known.solved}/{known.replicas}"
    return [solved, f"{median} {interval}".rstrip(), format_count(trial.samples)]


def _notes(search: Search, trials: int) -> list[str]:
    lines = []
    if (hidden := len(search.trials) - SHOWN) > 0:
        lines.append(f"[dim]and {hidden} more[/]")
    lines.append(_best(search))
    if len(search.tried) < trials:
        lines.append(f"[dim]{_ended(search.space, len(search.tried))}[/]")
    if search.failed:
        lines.append(f"[yellow]warning:[/] {_count(len(search.failed), 'trial')} failed: see below")
    stopped = sum(not trial.known.complete for trial in search.trials)
    if stopped:
        lines.append(f"[dim]{stopped} were stopped: beaten, whatever the rest had brought[/]")
    whole = sum(len(trial.rungs) == 1 for trial in search.trials)
    if whole:
        lines.append(
            f"[dim]{whole} ran to the end: their schedule of the learning rate depends on it[/]"
        )
    return [*lines, *_edge_lines(search)]


def _best(search: Search) -> str:
    best = search.best
    value, interval = format_time_to_target(best.samples_to_target, best.known.samples)
    return (
        f"best: [bold]{escape(best.cell.model.label())}[/], "
        f"{best.known.solved}/{best.known.replicas} solved, median {escape(value)} "
        f"{escape(interval)} samples on the seeds that chose it"
    )


def _ended(space: Space, count: int) -> str:
    if size(space) == count:
        return f"all {_count(count, 'configuration')} of the search space were tried"
    return f"the sampler found {_count(count, 'configuration')} and then no other"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _edge_lines(search: Search) -> list[str]:
    lines = []
    for key, side in search.edges.items():
        end, direction = WORDS[side]
        lines.append(
            f"[yellow]warning:[/] {key}={escape(search.best.proposal.fields[key])} lies at the "
            f"{end} end of {escape(str(search.space.fields[key]))}: better ones may lie beyond; "
            f"search {direction} ones too"
        )
    return lines


def _spent(searches: Sequence[Search]) -> str:
    trials = [trial for search in searches for trial in search.trials]
    samples, flops = sum(t.samples for t in trials), sum(t.flops for t in trials)
    most = sum(t.cell.protocol.budget * t.cell.protocol.seeds for t in trials)
    return (
        f"spent: {format_count(samples)} samples and {format_count(flops)} FLOPs on {len(trials)} "
        f"trials, of at most {format_count(most)} samples"
    )
