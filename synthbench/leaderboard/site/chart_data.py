"""What the charts show as tables of comma-separated values, one line per point.

Submissions are called by the names of their folders, which no spreadsheet takes for a formula.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite

from synthbench.leaderboard.standings.entry import Entry, EntryCell
from synthbench.metrics.estimate import Estimate
from synthbench.metrics.survival import binomial_floor

LEARNING = "submission,samples,median,low_10,high_90"
SURVIVAL = "submission,samples,unsolved,low_95,high_95"
MEANS = (
    "submission,bound,samples,samples_low_95,samples_high_95,flops,flops_low_95,flops_high_95,"
    "on_front,track"
)
PROFILE = "submission,cell,times_best"


def csv_table(heading: str, rows: Iterable[str]) -> str:
    """A file of lines."""
    return "\n".join([heading, *rows, ""])


def learning_rows(name: str, cell: EntryCell) -> list[str]:
    """The learning curve at every evaluation point."""
    curve = cell.curve
    columns = (c.tolist() for c in (curve.samples, curve.median, curve.low, curve.high))
    return [_row(name, values) for values in zip(*columns, strict=True)]


def survival_rows(name: str, cell: EntryCell) -> list[str]:
    """The share unsolved from each time on, from the start to the end of the budget."""
    curve, reached = cell.survival, cell.times.reached
    columns = [c.tolist() for c in (curve.times, curve.survival, curve.low, curve.high)]
    steps = [(0.0, 1.0, binomial_floor(len(reached.times)), 1.0), *zip(*columns, strict=True)]
    if steps[-1][0] < cell.times.budget:
        steps.append((cell.times.budget, *steps[-1][1:]))
    return [_row(name, values) for values in steps]


def mean_rows(entries: Sequence[Entry]) -> list[str]:
    """Both geometric means of every entry, with their intervals."""
    return [
        ",".join(
            [
                entry.submission.name, entry.bound, *_ends(entry.samples), *_ends(entry.flops),
                f"{int(entry.on_front)}", entry.submission.track,
            ]
        )
        for entry in entries
    ]  # fmt: skip


def profile_rows(entries: Sequence[Entry]) -> list[str]:
    """Each median over the best of its cell; nothing where it is unsolved."""
    return [
        _row(entry.submission.name, (number, ratio))
        for entry in entries
        for number, ratio in enumerate(entry.profile, start=1)
    ]


def _ends(estimate: Estimate) -> tuple[str, str, str]:
    return _number(estimate.value), _number(estimate.low), _number(estimate.high)


def _row(name: str, values: Iterable[float]) -> str:
    return ",".join([name, *map(_number, values)])


def _number(value: float | None) -> str:
    return "" if value is None or not isfinite(value) else f"{value:.8g}"
