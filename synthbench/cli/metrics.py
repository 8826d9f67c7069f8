"""`synthbench metrics RUN`: every metric of finished cells, as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from synthbench.cli.importing import without_collection
from synthbench.cli.score_flag import Score, read_cells

if TYPE_CHECKING:
    from rich.console import Console

    from synthbench.metrics.estimate import Estimate
    from synthbench.metrics.quantity import Quantity
    from synthbench.metrics.transitions import TransitionSummary
    from synthbench.records.schema import Record
    from synthbench.results.comparisons import ModelComparison
    from synthbench.results.measured_cell import MeasuredCell

T = TypeVar("T")


def metrics_command(
    run: Annotated[Path, typer.Argument(help="A folder that `synthbench eval` has written.")],
    score: Score = None,
) -> None:
    """Show sample efficiency, transitions, hidden progress and comparisons of finished cells."""
    from rich.console import Console
    from rich.progress import track

    with without_collection():
        from synthbench.results.comparisons import compare_models
        from synthbench.results.size_table import size_table
        from synthbench.results.terminal_table import WIDTH

    console = Console(width=WIDTH, highlight=False)
    cells = read_cells(run, score)
    for cell in track(cells, "measuring", console=console, transient=True):
        _ = cell.metrics
    for task in dict.fromkeys(cell.record.task for cell in cells):
        chosen = [cell for cell in cells if cell.record.task == task]
        _heading(console, task, chosen)
        console.print(size_table(chosen))
        _print_efficiency(console, chosen)
        _print_transitions(console, chosen)
        _print_strategies(console, chosen)
        _print_random_search(console, chosen)
        _print_probes(console, chosen)
        _print_grokking(console, chosen)
        _print_variance_split(console, chosen)
    _print_comparisons(console, compare_models(cells))
    console.print("intervals at 95%; definitions: page metrics of the documentation", style="dim")


def _heading(console: Console, task: str, cells: Sequence[MeasuredCell]) -> None:
    """The task; which score, where it is not the one by which it was trained; the ceiling."""
    from rich.markup import escape

    from synthbench.results.summary_table import ceiling_lines

    records = [cell.record for cell in cells]
    console.print(f"\n[bold]{escape(task)}[/]")
    for line in (*_score_lines(records), *ceiling_lines(records)):
        console.print(escape(line), style="dim")


def _score_lines(records: Sequence[Record]) -> list[str]:
    """Which score it is, where the replicas were trained and stopped by another."""
    others = [record for record in records if record.summary.score != record.ranked]
    lines = {
        f"by {record.summary.score}"
        + (
            f"; a replica that had solved it by {record.ranked} is censored where it stopped"
            if record.protocol["until"] == "solved"
            else ""
        )
        for record in others
    }
    return sorted(lines)


def _print_table(console: Console, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.markup import escape

    from synthbench.results.terminal_table import number_table

    table = number_table(headings[0], headings[1:])
    for row in rows:
        table.add_row(*(escape(text) for text in row))
    console.print(table)


def _lines(words: tuple[str, str]) -> str:
    """A value, and its interval below it."""
    return "\n".join(words).rstrip()


def _number(estimate: Estimate) -> str:
    from synthbench.metrics.formatting import format_estimate

    return _lines(format_estimate(estimate))


def _ratio(estimate: Estimate) -> str:
    from synthbench.metrics.formatting import format_ratio

    return _lines(format_ratio(estimate))


def _time(estimate: Estimate, cell: MeasuredCell) -> str:
    from synthbench.metrics.formatting import format_time_to_target

    return _lines(format_time_to_target(estimate, cell.watched))


def _named(quantities: Sequence[Quantity[T]], *names: str) -> list[Quantity[T]]:
    """Some of them, in the order of their names."""
    by_name = {quantity.name: quantity for quantity in quantities}
    return [by_name[name] for name in names]


def _print_efficiency(console: Console, cells: Sequence[MeasuredCell]) -> None:
    from synthbench.metrics.cell_metrics import EFFICIENCY
    from synthbench.metrics.summary import TO_TARGET

    solved, median = _named(TO_TARGET, "success_rate", "samples_to_target")
    rows = []
    for cell in cells:
        summary = cell.record.summary
        _, share = solved.words(summary)
        rows.append(
            [
                cell.record.model,
                f"{summary.solved}/{summary.replicas}\n{share}",
                _lines(median.words(summary, cell.watched)),
                *(_lines(each.words(cell.metrics, cell.watched)) for each in EFFICIENCY),
            ]
        )
    headings = [solved.heading, median.heading, *(each.heading for each in EFFICIENCY)]
    _print_table(console, ["sample efficiency", *headings], rows)


def _print_transitions(console: Console, cells: Sequence[MeasuredCell]) -> None:
    from synthbench.metrics.transitions import TRANSITIONS

    times = _named(TRANSITIONS, "onset", "midpoint", "completion", "width")
    shapes = _named(TRANSITIONS, "plateau", "sharpness", "height")
    stages = _named(TRANSITIONS, "overshoot", "relapse")
    _print_shapes(console, "transition", times, cells)
    _print_shapes(console, "", shapes, cells)
    counts = [
        "\n".join(
            f"{number} in {count}" for number, count in cell.metrics.transition_counts.items()
        )
        for cell in cells
    ]
    _print_shapes(console, "", stages, cells, {"transitions\nin replicas": counts})


def _print_shapes(
    console: Console,
    title: str,
    quantities: Sequence[Quantity[TransitionSummary]],
    cells: Sequence[MeasuredCell],
    more: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """One row per cell; more: further columns, by heading."""
    columns = {
        each.heading: [_lines(each.words(c.metrics.transitions, c.watched)) for c in cells]
        for each in quantities
    } | dict(more or {})
    models = [cell.record.model for cell in cells]
    _print_table(console, [title, *columns], list(zip(models, *columns.values(), strict=True)))


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
