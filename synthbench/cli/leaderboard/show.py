"""`synthbench leaderboard show SUITE`: the ranking, or two of its entries, in the terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from synthbench.cli.absent_plugins import say_set_aside
from synthbench.cli.completion import complete_submission, complete_suite
from synthbench.cli.importing import without_collection
from synthbench.cli.leaderboard.flags import BOARDS, Boards
from synthbench.cli.leaderboard.set_aside import say_refused

if TYPE_CHECKING:
    from rich.console import Console

    from synthbench.leaderboard.standings.board import Board


def show_command(
    suite: Annotated[
        str,
        typer.Argument(
            help="A suite: see `synthbench list suites`.", autocompletion=complete_suite
        ),
    ],
    submissions: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SUBMISSION [SUBMISSION]]",
            help="Two of its submissions side by side; one: beside the reference model.",
            autocompletion=complete_submission,
        ),
    ] = None,
    boards: Boards = BOARDS,
) -> None:
    """Show a leaderboard: ranks, samples and FLOPs to target, transitions, reference rows.

    Two of its submissions are compared cell by cell, on the same seeds.
    """
    from rich.console import Console

    with without_collection():
        from synthbench.cli.leaderboard.pair_table import chosen_pair, print_pair
        from synthbench.cli.stage_progress import stage_progress
        from synthbench.leaderboard.standings.placing import read_board
        from synthbench.registry.registry import installed
        from synthbench.results.terminal_table import WIDTH

        chosen = installed().suite(suite)
    say_set_aside()
    console = Console(width=WIDTH, highlight=False)
    with stage_progress(console) as progress:
        board = read_board(chosen, boards, progress.stage("reading submissions"))
    if submissions:
        print_pair(console, board, *chosen_pair(board, submissions))
        return
    _print_ranking(console, board)
    _print_sizes(console, board)
    _print_cells(console, board)
    _print_references(console, board)
    say_refused(console, board)
    if len(board.entries) > 1:
        names = " ".join(entry.submission.name for entry in board.entries[:2])
        console.print(
            f"two side by side: `synthbench leaderboard show {board.suite.name} {names}`",
            style="dim",
            soft_wrap=True,
        )


def _print_ranking(console: Console, board: Board) -> None:
    from rich.markup import escape

    from synthbench.leaderboard.standings.board import FRESH, ranking_table
    from synthbench.results.terminal_table import number_table

    suite = board.suite
    console.print(f"[bold]{escape(suite.name)}[/] version {suite.version}: {escape(suite.title)}")
    if not board.entries:
        console.print(
            f"no submissions yet: `synthbench eval {suite.name} --model ...`, then "
            f"`synthbench leaderboard submit runs/{suite.name} --author ...`\n"
        )
        return
    headings, rows = ranking_table(board)
    rank, submission, *numbers = (heading.replace(" ", "\n") for heading in headings)
    table = number_table(submission, numbers, before=(rank,))
    for entry, row in zip(board.entries, rows, strict=True):
        # Its interval is on the site: 80 columns have no room for a third.
        texts = (
            cell.value if heading == FRESH else cell.stacked()
            for heading, cell in zip(headings, row, strict=True)
        )
        *cells, flops, solved = map(escape, texts)
        table.add_row(*cells, flops + (" *" if entry.on_front else ""), solved)
    console.print(table)
    console.print(
        f"samples, FLOPs: geometric mean over cells, relative to {escape(board.relative_to)}; "
        "unsolved cells at the budget, which leaves a bound (< >, or ~ either way). Ranks that "
        "overlap are ties. *: Pareto front.\n",
        style="dim",
    )
    for note in board.ceiling_notes():
        console.print(escape(note), style="dim")
    for line in board.caveats():
        console.print(f"[yellow]marked:[/] {escape(line)}", soft_wrap=True)


def _print_sizes(console: Console, board: Board) -> None:
    """Of one replica of each submission; a range where cells differ."""
    from rich.markup import escape

    from synthbench.results.terminal_table import number_table

    if not board.entries:
        return
    table = number_table("submission", ["parameters", "state size", "FLOPs\nper sample"])
    for entry in board.entries:
        sizes = zip(*(cell.sizes for cell in entry.cells), strict=True)
        table.add_row(escape(entry.submission.title), *map(_range, sizes))
    console.print(table)


def _range(sizes: Iterable[float | None]) -> str:
    """`12k`, `12k to 40k`; a dash where none is known."""
    from synthbench.metrics.formatting import format_count

    known = [size for size in sizes if size is not None]
    ends = dict.fromkeys(format_count(end) for end in (min(known), max(known))) if known else ["-"]
    return " to ".join(ends)


def _print_cells(console: Console, board: Board) -> None:
    from rich.markup import escape

    from synthbench.leaderboard.site.numbers import show_column
    from synthbench.metrics.formatting import format_count, format_time_to_target
    from synthbench.results.terminal_table import number_table

    for number, (task, cell) in enumerate(zip(board.tasks, board.suite.cells, strict=True)):
        if not board.entries:
            return
        title = f"[bold]{number + 1}. {escape(task)}[/], budget {format_count(cell.budget)}"
        columns = ["solved", "median samples", *board.suite.columns]
        table = number_table("submission", columns, title=title)
        for entry in board.entries:
            one = entry.cells[number]
            summary = one.summary
            median, interval = format_time_to_target(summary.samples_to_target, cell.budget)
            table.add_row(
                escape(entry.submission.title),
                f"{summary.solved}/{summary.replicas}",
                f"{median}\n{escape(interval)}".rstrip(),
                *(escape(show_column(one, column).text) for column in board.suite.columns),
            )
        console.print(table)


def _print_references(console: Console, board: Board) -> None:
    """What needs no training: scores of strategies, and what classical algorithms take."""
    from rich.markup import escape

    from synthbench.metrics.formatting import format_count

    console.print("[bold]for reference[/], not ranked")
    for row in board.reference_rows:
        console.print(f"{row.number}. {escape(row.task)}")
        scores = (f"{name} {score}" for name, score in row.score_texts().items())
        console.print(f"   scores: {escape(', '.join(scores))}", style="dim")
        for name, algorithm in row.algorithms.items():
            cost = format_count(algorithm.samples), format_count(algorithm.operations)
            text = f"   {name}: {cost[0]} samples, {cost[1]} operations"
            console.print(escape(text), style="dim")
