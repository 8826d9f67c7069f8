"""`synthbench metrics RUN`: every metric of finished cells, as tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from synthbench.metrics.estimate import Estimate
    from synthbench.results.comparisons import ModelComparison
    from synthbench.results.measured_cell import MeasuredCell

WIDTH = 80


def metrics_command(
    run: Annotated[Path, typer.Argument(help="A folder that `synthbench eval` has written.")],
) -> None:
    """Show sample efficiency, transitions, hidden progress and comparisons of finished cells."""
    from rich.console import Console
    from rich.progress import track

    from synthbench.results.comparisons import compare_models
    from synthbench.results.results import read_results

    console = Console(width=WIDTH, highlight=False)
    cells = read_results(run).measured
    for cell in track(cells, "measuring", console=console, transient=True):
        _ = cell.metrics
    for task in dict.fromkeys(cell.record.task for cell in cells):
        chosen = [cell for cell in cells if cell.record.task == task]
        _heading(console, task)
        _print_efficiency(console, chosen)
        _print_transitions(console, chosen)
        _print_shapes(console, chosen)
        _print_stages(console, chosen)
        _print_strategies(console, chosen)
        _print_random_search(console, chosen)
        _print_probes(console, chosen)
        _print_grokking(console, chosen)
        _print_variance_split(console, chosen)
    _print_comparisons(console, compare_models(cells))
    console.print("intervals at 95%; definitions: page metrics of the documentation", style="dim")


def _heading(console: Console, text: str) -> None:
    from rich.markup import escape

    console.print(f"\n[bold]{escape(text)}[/]")


def _print_table(console: Console, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, width=WIDTH, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column(headings[0], overflow="fold", ratio=1)
    for heading in headings[1:]:
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*(escape(text) for text in row))
    console.print(table)


def _number(estimate: Estimate) -> str:
    from synthbench.metrics.formatting import format_estimate

    return "\n".join(format_estimate(estimate)).rstrip()


def _ratio(estimate: Estimate) -> str:
    from synthbench.metrics.formatting import format_ratio

    return "\n".join(format_ratio(estimate)).rstrip()


def _time(estimate: Estimate, cell: MeasuredCell) -> str:
    from synthbench.metrics.formatting import format_time_to_target

    return "\n".join(format_time_to_target(estimate, cell.budget)).rstrip()


def _print_efficiency(console: Console, cells: Sequence[MeasuredCell]) -> None:
    rows = []
    for cell in cells:
        summary, metrics = cell.record.summary, cell.metrics
        _, _, share = _number(summary.success_rate).partition("\n")
        solved = f"{summary.solved}/{summary.replicas}\n{share}"
        rows.append(
            [
                cell.record.model,
                solved,
                _time(summary.samples_to_target, cell),
                _time(metrics.restricted_mean, cell),
                _number(metrics.regret),
            ]
        )
    headings = ("sample efficiency", "solved", "median\nsamples", "restricted\nmean", "regret")
    _print_table(console, headings, rows)


def _print_transitions(console: Console, cells: Sequence[MeasuredCell]) -> None:
    rows = []
    for cell in cells:
        shape = cell.metrics.transitions
        rows.append(
            [
                cell.record.model,
                _time(shape.onset, cell),
                _time(shape.midpoint, cell),
                _time(shape.completion, cell),
                _number(shape.width),
            ]
        )
    headings = ("transition", "onset\n(10%)", "midpoint\n(50%)", "completion\n(90%)",
                "width\n(decades)")  # fmt: skip
    _print_table(console, headings, rows)


def _print_shapes(console: Console, cells: Sequence[MeasuredCell]) -> None:
    rows = [
        [cell.record.model, *(_number(x) for x in (shape.plateau, shape.sharpness, shape.height))]
        for cell in cells
        for shape in [cell.metrics.transitions]
    ]
    headings = ("", "plateau\n(share of the way)", "sharpness\n(per decade)", "height")
    _print_table(console, headings, rows)


def _print_stages(console: Console, cells: Sequence[MeasuredCell]) -> None:
    rows = []
    for cell in cells:
        shape, counts = cell.metrics.transitions, cell.metrics.transition_counts
        found = "\n".join(f"{number} in {count}" for number, count in counts.items())
        rows.append([cell.record.model, _number(shape.overshoot), _number(shape.relapse), found])
    headings = ("", "overshoot", "relapse", "transitions\nin replicas")
    _print_table(console, headings, rows)


def _print_strategies(console: Console, cells: Sequence[MeasuredCell]) -> None:
    rows = []
    for cell in cells:
        total = cell.record.summary.replicas
        for name, near in cell.metrics.near.items():
            first = _time(near.first, cell)
            rows.append([cell.record.model, name, f"{near.replicas}/{total}", first,
                         _number(near.share)])  # fmt: skip
    # With the two ends alone the transition says it all.
    if any(len(cell.metrics.near) > 2 for cell in cells):
        headings = ("nearest strategy", "", "replicas", "first at", "share of\nlog samples")
        _print_table(console, headings, rows)


def _print_random_search(console: Console, cells: Sequence[MeasuredCell]) -> None:
    from synthbench.metrics.formatting import format_p_value

    rows = [
        [
            cell.record.model,
            f"{test.cv:.2f}",
            f"{test.random_search_cv:.2f}",
            format_p_value(test.p_value),
        ]
        for cell in cells
        if (test := cell.metrics.random_search) is not None
    ]
    if rows:
        headings = ("is it random search?", "CV of times", "CV if it were", "p-value")
        _print_table(console, headings, rows)


def _print_probes(console: Console, cells: Sequence[MeasuredCell]) -> None:
    rows = []
    for cell in cells:
        for name, probe in cell.metrics.probes.items():
            order = _number(probe.concordance) if probe.concordance else "-"
            rows.append([f"{cell.record.model}\n{name}", _number(probe.lead),
                         _number(probe.plateau_fraction), order])  # fmt: skip
    if rows:
        headings = ("hidden progress", "lead\n(decades)", "half-way at\n(of plateau)",
                    "predicts\n(concordance)")  # fmt: skip
        _print_table(console, headings, rows)


def _print_grokking(console: Console, cells: Sequence[MeasuredCell]) -> None:
    rows = []
    for cell in cells:
        found = cell.metrics.grokking
        if found is not None:
            rows.append([cell.record.model, _time(found.memorized, cell),
                         _time(found.generalized, cell), _number(found.ratio),
                         str(found.never)])  # fmt: skip
    if rows:
        headings = ("grokking", "training data\nlearnt at", "fresh data\nlearnt at", "ratio",
                    "memorized\nonly")  # fmt: skip
        _print_table(console, headings, rows)


def _print_variance_split(console: Console, cells: Sequence[MeasuredCell]) -> None:
    rows = []
    for cell in cells:
        split = cell.metrics.variance_split
        if split is not None:
            rows.append([cell.record.model, _number(split.initialization), _number(split.data),
                         f"{split.interaction:.2f}"])  # fmt: skip
        elif cell.record.protocol.get("initializations"):
            every = cell.record.summary.solved == cell.record.summary.replicas
            rows.append([cell.record.model, "all alike" if every else "not all solved", "", ""])
    if rows:
        headings = ("variance of log time", "initialization", "data", "both together")
        _print_table(console, headings, rows)
        used = len(cells[0].metrics.reached.times)
        console.print(
            f"seeds are crossed: all other intervals and tests use {used} replicas, no two of "
            "which share an initialization or data",
            style="dim",
        )


def _print_comparisons(console: Console, comparisons: Sequence[ModelComparison]) -> None:
    from synthbench.metrics.formatting import format_p_value

    if not comparisons:
        return
    rows = [
        [
            f"{one.first}\n  against {one.second}\n  on {one.task}",
            _ratio(one.comparison.ratio_of_medians),
            _number(one.comparison.superiority),
            format_p_value(one.p_value),
        ]
        for one in comparisons
    ]
    headings = ("comparison", "ratio of\nmedians", "solves\nfirst", "log-rank p\n(corrected)")
    _print_table(console, headings, rows)
    count = len(comparisons)
    console.print(
        f"p-values corrected by Holm's method over {count} comparison{'s' * (count > 1)}; "
        "solves first: probability, ties half",
        style="dim",
    )
