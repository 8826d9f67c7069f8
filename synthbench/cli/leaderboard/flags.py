"""Flags that several commands of leaderboards have, and the suites that they name."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synthbench.cli.completion import complete_suite

if TYPE_CHECKING:
    from synthbench.leaderboard.verification.verify import Verification
    from synthbench.plan.suite import Suite

BOARDS = Path("leaderboards")
Boards = Annotated[Path, typer.Option(help="Folder of the leaderboards.")]
Suites = Annotated[
    list[str] | None,
    typer.Argument(metavar="SUITE", help="Default: every suite.", autocompletion=complete_suite),
]
Fraction = Annotated[
    float, typer.Option(min=0, max=1, help="Share of each cell's replicas to train again.")
]
Seed = Annotated[int | None, typer.Option(min=0, help="Which replicas; default: at random.")]


def chosen_suites(names: Iterable[str] | None) -> list[Suite]:
    """The suites of these names, each once; of none, all that are installed."""
    from synthbench.registry.kinds import SUITE
    from synthbench.registry.registry import installed

    registry = installed()
    return [registry.suite(name) for name in dict.fromkeys(names or registry.names(SUITE))]


def verification(fraction: float, seed: int | None, accelerator: str) -> Verification:
    """How to verify, with a seed that nobody knows before where none is given."""
    from synthbench.leaderboard.verification.verify import Verification

    return Verification(fraction, secrets.randbelow(10**6) if seed is None else seed, accelerator)
