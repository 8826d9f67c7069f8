"""What a report says, before it is a page: claims, figures, what was run, how to run it again."""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import dataclass

from synthbench.errors import SynthbenchError
from synthbench.metrics.formatting import format_seconds
from synthbench.papers.judging import Judge, judged, standard_judge
from synthbench.papers.kept import AnyKept, KeptStudy
from synthbench.papers.report.pictures import ReportPicture, drawn_figures
from synthbench.papers.report.wording import SYMBOLS, ShownClaim, shown_claim
from synthbench.plan.paper_study import PaperStudy


@dataclass(frozen=True)
class ShownGrid:
    """A row of the table of what was run.

    cells: `6 of 6`. seeds: of a cell, `32`, or `16 to 32`; `2 of 32` where fewer are kept than are
    asked for. seconds: of training.
    """

    name: str
    says: str
    planned: str
    cells: str
    seeds: str
    seconds: str


@dataclass(frozen=True)
class Report:
    """A report.

    full: whether it is of the paper's sizes. seconds: of training, in words. environments:
    software and machines of the records. commands: what runs it again, and with twice the seeds.
    left_out: a line for everything that lies there and cannot be read.
    """

    study: PaperStudy
    full: bool
    claims: tuple[ShownClaim, ...]
    pictures: tuple[ReportPicture, ...]
    grids: tuple[ShownGrid, ...]
    seconds: str
    environments: tuple[str, ...]
    commands: tuple[str, ...]
    left_out: tuple[str, ...] = ()

    @property
    def tally(self) -> Counter[str]:
        """How many claims have each verdict."""
        return Counter(claim.verdict for claim in self.claims)

    @property
    def counts(self) -> list[tuple[str, str, int]]:
        """Symbol, verdict and how many claims have it, for those that some have."""
        found = self.tally
        return [
            (sign, verdict, found[verdict]) for verdict, sign in SYMBOLS.items() if found[verdict]
        ]

    @property
    def several_grids(self) -> bool:
        """Whether a claim's grid has to be said."""
        return len(self.grids) > 1


def report_content(
    kept: KeptStudy, named: str, judge: Judge = standard_judge, flags: str = ""
) -> Report:
    """The report of what is kept of a study.

    named: as `study run` finds it. flags: with which it would be run here. Raises SynthbenchError
    where nothing is kept, and what judging and drawing do.
    """
    flag = " --full" if kept.full else ""
    if kept.is_empty and kept.unreadable:
        raise kept.unreadable[0].error
    if kept.is_empty:
        raise SynthbenchError(
            f'nothing of "{kept.study.name}" is run; first: '
            f"synthbench study run {shlex.quote(named)}{flag}{flags}"
        )
    return Report(
        kept.study,
        kept.full,
        tuple(map(shown_claim, judged(kept, judge))),
        tuple(drawn_figures(kept)),
        tuple(_shown_grid(kept.study, grid) for grid in kept.grids.values()),
        format_seconds(kept.seconds),
        _environments(kept),
        _commands(kept, f"{shlex.quote(named)}{flag}"),
        tuple(map(str, kept.unreadable)),
    )


def _shown_grid(study: PaperStudy, kept: AnyKept) -> ShownGrid:
    seeds = kept.seeds_text
    if seeds and kept.seeds < kept.asked:
        seeds += f" of {kept.asked}"
    return ShownGrid(
        kept.name,
        study.grids[kept.name].says,
        kept.study.summary(),
        f"{len(kept.results)} of {kept.planned}",
        seeds or "-",
        format_seconds(kept.seconds) if seeds else "-",
    )


def _environments(kept: KeptStudy) -> tuple[str, ...]:
    """`SynthBench 0.1.0, torch 2.11.0, Python 3.12.3, cpu (x86_64)`, each once."""
    software = [each for grid in kept.grids.values() for each in grid.environments]
    return tuple(
        dict.fromkeys(
            f"SynthBench {each.synthbench}, torch {each.torch}, Python {each.python}, "
            f"{each.device} ({each.device_name})"
            for each in software
        )
    )


def _commands(kept: KeptStudy, named: str) -> tuple[str, ...]:
    """named: the study, with the flag of its size."""
    grids = [grid for grid in kept.grids.values() if grid.seeds]
    # The first command has as many as are asked for.
    fewest = min((max(grid.seeds, grid.asked) for grid in grids), default=0)
    return (
        f"synthbench study run {named}",
        f"synthbench study run {named} --seeds {2 * fewest}",
        f"synthbench study report {named}",
    )
