"""`synthbench leaderboard review`: what a pull request submits, judged."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synthbench.cli.leaderboard.flags import Fraction, Seed, verification
from synthbench.cli.run_flags import Accelerator
from synthbench.errors import ConfigurationError

if TYPE_CHECKING:
    from synthbench.leaderboard.review.judging import Judgement

DOES_NOT_HOLD = 1
"""Exit code where one of the submissions does not hold, breaks a rule or stays undecided."""


def review_command(  # noqa: PLR0913 - one parameter per flag
    base: Annotated[
        str, typer.Option(metavar="REF", help="The branch that it is to be merged to.")
    ],
    repository: Annotated[Path, typer.Option(help="The checkout to be judged.")] = Path(),
    boards: Annotated[
        Path, typer.Option(help="Folder of the leaderboards within the repository.")
    ] = Path("leaderboards"),
    fraction: Fraction = 0.1,
    seed: Seed = None,
    minutes: Annotated[
        float, typer.Option(min=0, help="For all submissions together; later ones stay undecided.")
    ] = 60,
    accelerator: Accelerator = "auto",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="The report, as Markdown.")
    ] = None,
) -> None:
    """Read, check and verify the submissions that a branch changes, and report what holds.

    Nothing of the branch is run: its submissions are data, judged by the SynthBench and the plugins
    that are installed. Exit code 0: all hold; 1: one does not; 2: it cannot be said what changed.
    """
    from rich.console import Console
    from rich.markup import escape

    from synthbench.leaderboard.review.changes import changes_since
    from synthbench.leaderboard.review.markdown import review_markdown
    from synthbench.leaderboard.review.review import review
    from synthbench.records.atomic import write_atomically

    if boards.is_absolute() or ".." in boards.parts:
        raise ConfigurationError(f"--boards is within the repository, got {boards}")
    console = Console(highlight=False)
    changes = changes_since(base, repository, boards)
    chosen = verification(fraction, seed, accelerator)

    def say(one: Judgement) -> None:
        reason = f": {one.reason}" if one.reason else ""
        line = f"{one.change.name!a} ({one.change.kind}): {one.outcome}{reason}"
        console.print(escape(line), soft_wrap=True)

    found = review(changes, chosen, minutes * 60, say)
    if out is not None:
        write_atomically(out, review_markdown(found).encode())
    for one in found.judgements:
        for failure in one.failures:
            console.print(escape(failure), soft_wrap=True)
    if not found.judgements:
        console.print("no submission was changed")
    if not found.holds:
        raise typer.Exit(DOES_NOT_HOLD)
