"""The table that ends `synthbench study run`."""

from __future__ import annotations

from rich.markup import escape

from synthbench.cli.study.left_out import say_unreadable
from synthbench.papers.judging import judged, standard_judge
from synthbench.papers.kept import KeptStudy
from synthbench.papers.report.wording import ShownClaim, shown_claim
from synthbench.results.terminal_table import results_console, word_table

COLOURS = {"good": "green", "part": "yellow", "bad": "red"}


def print_verdicts(kept: KeptStudy, named: str) -> None:
    """Every claim with its verdict; named: the study, and flags, as a command takes them."""
    console = results_console()
    say_unreadable(console, map(str, kept.unreadable))
    several = len(kept.grids) > 1
    table = word_table(("verdict",), "claim", "measured")
    for claim in (shown_claim(each) for each in judged(kept, standard_judge)):
        style = COLOURS.get(claim.style)
        verdict = escape(f"{claim.symbol} {claim.verdict}")
        says = " ".join(claim.claim.says.split())
        table.add_row(
            f"[{style}]{verdict}[/]" if style else verdict,
            escape(f"{says} ({claim.grid})" if several else says),
            escape(_measured(claim)),
        )
    if kept.study.claims:
        console.print(table)
    command = f"synthbench study report {named}"
    console.print(f"with figures: {escape(command)}", style="dim", soft_wrap=True)


def _measured(claim: ShownClaim) -> str:
    number = " ".join(filter(None, (claim.value, claim.interval)))
    stated = f"{number}, claimed {claim.claim.holds}" if number else ""
    return "; ".join(filter(None, (stated, claim.remark)))
