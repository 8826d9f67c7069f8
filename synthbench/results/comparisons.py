"""Every two models of each task, compared, with one correction over all comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from synthbench.metrics.comparison import Comparison, compare
from synthbench.metrics.formatting import format_estimate, format_p_value, format_ratio
from synthbench.metrics.multiple import holm
from synthbench.metrics.time_to_target import TimesToTarget, times_to_target
from synthbench.results.measured_cell import MeasuredCell


@dataclass(frozen=True, repr=False)
class ModelComparison:
    """The first model against the second on one task.

    paired: whether both used the same seeds. p_value: of the log-rank test, by Holm's method
    over all the comparisons made together.
    """

    task: str
    first: str
    second: str
    paired: bool
    comparison: Comparison
    p_value: float

    def __repr__(self) -> str:
        """Both models and the task, then the numbers, indented."""
        ratio = " ".join(format_ratio(self.comparison.ratio_of_medians)).rstrip()
        first = " ".join(format_estimate(self.comparison.superiority)).rstrip()
        p_value = format_p_value(self.p_value, name=True)
        paired = ", paired seeds" if self.paired else ""
        return (
            f"{self.first} against {self.second} on {self.task}\n"
            f"  ratio of medians {ratio}, solves first {first}, log-rank {p_value} (corrected)"
            f"{paired}"
        )


def compare_models(cells: Sequence[MeasuredCell]) -> list[ModelComparison]:
    """Compare every two models of the same task within the smaller of their budgets.

    Cells that differ in the protocol alone, such as their budget, are not held against each
    other.
    """
    pairs = [
        (a, b)
        for a, b in combinations(cells, 2)
        if a.record.task == b.record.task and a.record.model != b.record.model
    ]
    compared = [_compare(a, b) for a, b in pairs]
    adjusted = holm([comparison.log_rank for _, comparison in compared])
    return [
        ModelComparison(a.record.task, a.record.model, b.record.model, paired, comparison, p)
        for (a, b), (paired, comparison), p in zip(pairs, compared, adjusted, strict=True)
    ]


def _compare(first: MeasuredCell, second: MeasuredCell) -> tuple[bool, Comparison]:
    budget = min(first.budget, second.budget)
    one, two = (_within(cell, budget) for cell in (first, second))
    paired = _independent_seeds(first) == _independent_seeds(second)
    return paired, compare(one, two, paired=paired)


def _within(cell: MeasuredCell, budget: int) -> TimesToTarget:
    """Times to target as if the cell's budget had been smaller; later evaluations do not count."""
    if budget == cell.budget:
        return cell.metrics.reached
    context, trajectories = cell.context, cell.trajectories
    chosen = context.independent()
    if chosen is not None:
        context, trajectories = context.of(chosen), trajectories.select(chosen)
    return times_to_target(
        trajectories.until(budget),
        replace(context.target, budget=budget),
        np.minimum(context.ends(), budget),
    )


def _independent_seeds(cell: MeasuredCell) -> list[dict[str, int]]:
    chosen = cell.context.independent()
    seeds = [replica.seeds for replica in cell.record.replicas]
    return seeds if chosen is None else [seeds[r] for r in chosen]
