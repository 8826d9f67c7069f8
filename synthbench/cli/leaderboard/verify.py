"""`synthbench leaderboard verify SUBMISSION`: train a share of its replicas again and compare."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synthbench.cli.leaderboard.flags import Fraction, Seed, verification
from synthbench.cli.run_flags import Accelerator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from synthbench.leaderboard.submissions.reading import CheckedSubmission
    from synthbench.leaderboard.verification.verify import CellVerdict

DISAGREES = 1
"""Exit code of a submission that was read but does not hold."""


def verify_command(  # noqa: PLR0913 - one parameter per flag
    submission: Annotated[
        Path, typer.Argument(help="A folder: leaderboards/SUITE/submissions/NAME.")
    ],
    fraction: Fraction = 0.1,
    seed: Seed = None,
    accelerator: Accelerator = "auto",
    fresh: Annotated[
        str | None,
        typer.Option(
            metavar="BEACON",
            help="Train on seeds that nobody had: those of a public string younger than the "
            "submission, '2026-01-31 lottery 4 8 15 16 23 42'; writes fresh.json beside it.",
        ),
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, help="With --fresh: how many; default: as many as rank.")
    ] = None,
    step_seconds: Annotated[
        float, typer.Option(min=1, help="Longest that building a network, or one step, may take.")
    ] = 300.0,
    memory_gib: Annotated[
        float | None,
        typer.Option(min=0.1, help="Most memory; default: three quarters of this machine's."),
    ] = None,
) -> None:
    """Recompute a submission's metrics, train a random share of it again and compare.

    Costs and data must be equal everywhere, trajectories to the bit on the same hardware and
    software; elsewhere each replica is compared with its own reruns. With --fresh: train on seeds
    that nobody had when it was submitted, and test whether they are like the ranked ones. Exit
    code 0: it holds; 1: it does not; 2: it breaks a rule, or meets a limit.
    """
    from rich.console import Console

    from synthbench.cli.leaderboard.fresh import FreshOptions, verify_on_fresh_seeds
    from synthbench.cli.leaderboard.rerun_progress import RerunProgress
    from synthbench.leaderboard.submissions.expected import expected_cells
    from synthbench.leaderboard.submissions.reading import read_submission, suite_of
    from synthbench.leaderboard.verification.limits import GIBIBYTE, Limits, within
    from synthbench.leaderboard.verification.verify import verify_submission
    from synthbench.results.terminal_table import WIDTH

    console = Console(width=WIDTH, highlight=False)
    suite = suite_of(submission)
    checked = read_submission(submission, suite, expected_cells(suite))
    console.print(
        f"{checked.submission.name}: {len(checked.cells)} cells follow from their trajectories",
        soft_wrap=True,
    )
    chosen = verification(fraction, seed, accelerator)
    limits = Limits.of_this_machine(step_seconds)
    if memory_gib is not None:
        limits = Limits(step_seconds, int(memory_gib * GIBIBYTE))
    if fresh is not None:
        options = FreshOptions(fresh, seeds, accelerator, limits)
        if not verify_on_fresh_seeds(console, checked, suite, options):
            raise typer.Exit(DISAGREES)
        return
    job = partial(verify_submission, checked, suite, chosen)
    verdicts = []
    with RerunProgress(checked, chosen) as progress:
        for verdict in within(limits, job, progress):
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
        for stray in verdict.agreement.strays:
            if stray not in verdict.agreement.failures:
                console.print(
                    f"[yellow]cell {verdict.number}:[/] {escape(stray)}; few may be chance",
                    soft_wrap=True,
                )
    if any(verdict.agreement.how == "seed by seed" for verdict in verdicts):
        console.print(
            "seed by seed: hardware or software round otherwise than the record's, so each replica "
            "was trained again with other last bits too; a larger --fraction sees more",
            style="dim",
        )
