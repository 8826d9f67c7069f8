"""`synthbench leaderboard verify SUBMISSION`: train a share of its replicas again and compare."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from synthbench.leaderboard.submissions.reading import CheckedSubmission
    from synthbench.leaderboard.verification.verify import CellVerdict

DISAGREES = 1
"""Exit code of a submission that was read but does not hold."""


def verify_command(
    submission: Annotated[
        Path, typer.Argument(help="A folder: leaderboards/SUITE/submissions/NAME.")
    ],
    fraction: Annotated[
        float, typer.Option(min=0, max=1, help="Share of each cell's replicas to train again.")
    ] = 0.1,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Which replicas; default: at random.")
    ] = None,
    accelerator: Annotated[
        str, typer.Option("--accelerator", "--device", help="Lightning's flag: auto, cpu, gpu, ...")
    ] = "auto",
) -> None:
    """Recompute a submission's metrics, train a random share of it again and compare.

    Data must be equal to the bit, trajectories within the stated tolerance; on other hardware
    statistically. Exit code 0: it holds; 1: it does not; 2: it breaks a rule.
    """
    from rich.console import Console

    from synthbench.cli.leaderboard.rerun_progress import RerunProgress
    from synthbench.leaderboard.submissions.expected import expected_cells
    from synthbench.leaderboard.submissions.reading import read_submission, suite_of
    from synthbench.leaderboard.verification.verify import Verification, verify_submission
    from synthbench.results.terminal_table import WIDTH

    console = Console(width=WIDTH, highlight=False)
    suite = suite_of(submission)
    checked = read_submission(submission, suite, expected_cells(suite))
    console.print(
        f"{checked.submission.name}: {len(checked.cells)} cells follow from their trajectories",
        soft_wrap=True,
    )
    chosen = Verification(fraction, secrets.randbelow(10**6) if seed is None else seed, accelerator)
    verdicts = []
    with RerunProgress(checked, chosen) as progress:
        for verdict in verify_submission(checked, suite, chosen, progress):
            verdicts.append(verdict)
            progress.cell_done()
    _print(console, checked, verdicts)
    console.print(f"the same replicas again: --seed {chosen.seed}", style="dim")
    if any(verdict.agreement.failures for verdict in verdicts):
        raise typer.Exit(DISAGREES)


def _print(console: Console, checked: CheckedSubmission, verdicts: Sequence[CellVerdict]) -> None:
    from rich.markup import escape

    from synthbench.results.terminal_table import number_table

    table = number_table("cell", ("replicas\nrerun", "trajectories", "largest\ndeviation", ""))
    for verdict, cell in zip(verdicts, checked.cells, strict=True):
        found = verdict.agreement
        deviation = f"{found.deviation:.1%}" if found.deviation < 10 else "-"
        holds = "[red]does not hold[/]" if found.failures else "holds"
        count = f"{len(verdict.replicas)} of {cell.record.summary.replicas}"
        task = escape(f"{verdict.number}. {cell.record.task}")
        table.add_row(task, count, found.how, deviation, holds)
    console.print(table)
    for verdict in verdicts:
        for failure in verdict.agreement.failures:
            console.print(f"[red]cell {verdict.number}:[/] {escape(failure)}", soft_wrap=True)
    if any(verdict.agreement.how == "statistically" for verdict in verdicts):
        console.print(
            "other hardware or software than the record's: only data, first losses, times and "
            "final scores were tested; a larger --fraction sees more",
            style="dim",
        )
