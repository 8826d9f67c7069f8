"""Every two models of each task, compared, with one correction over all comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from synthbench.measured_cell import MeasuredCell
from synthbench.metrics.comparison import Comparison, compare
from synthbench.metrics.multiple import holm


@dataclass(frozen=True)
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


def compare_models(cells: Sequence[MeasuredCell]) -> list[ModelComparison]:
    """Compare every two cells of the same task within the smaller of their budgets."""
    pairs = [(a, b) for a, b in combinations(cells, 2) if a.record.task == b.record.task]
    compared = [_compare(a, b) for a, b in pairs]
    adjusted = holm([comparison.log_rank for _, comparison in compared])
    return [
        ModelComparison(a.record.task, a.record.model, b.record.model, paired, comparison, p)
        for (a, b), (paired, comparison), p in zip(pairs, compared, adjusted, strict=True)
    ]


def _compare(first: MeasuredCell, second: MeasuredCell) -> tuple[bool, Comparison]:
    budget = min(first.budget, second.budget)
    seeds = [[replica.seeds for replica in cell.record.replicas] for cell in (first, second)]
    paired = seeds[0] == seeds[1]
    one, two = (cell.metrics.reached.within(budget) for cell in (first, second))
    return paired, compare(one, two, paired=paired)
