"""Models of each task, compared, with one correction over all comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import TypeAlias

import numpy as np

from synthbench.errors import ConfigurationError
from synthbench.hashing import content_hash
from synthbench.metrics.comparison import Comparison, compare
from synthbench.metrics.formatting import format_estimate, format_p_value, format_ratio
from synthbench.metrics.multiple import holm
from synthbench.metrics.time_to_target import TimesToTarget, times_to_target
from synthbench.plan.sources import SOURCES
from synthbench.results.baseline import baseline_cells
from synthbench.results.measured_cell import MeasuredCell
from synthbench.results.table.row_labels import model_names

Pair: TypeAlias = tuple[MeasuredCell, MeasuredCell]
CONDITIONS = ("train_samples", "score", "hold")
"""Fields of the protocol without which two times to target are not of the same thing."""


@dataclass(frozen=True, repr=False)
class ModelComparison:
    """The first model against the second on one task.

    task: its label, and what else both were trained under where the cells that were compared
    differ in that: `sparse-parity n=20 k=3, train_samples=1000`. first, second: the models'
    labels, with what differs between models even where it is a default. paired: whether both
    used the same seeds. p_value: of the log-rank test, by Holm's method over all the comparisons
    made together. cells: both.
    """

    task: str
    first: str
    second: str
    paired: bool
    comparison: Comparison
    p_value: float
    cells: Pair = field(compare=False)

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


def compare_models(
    cells: Sequence[MeasuredCell], against: str | None = None
) -> list[ModelComparison]:
    """Compare models of the same task within the smaller of their budgets.

    against: the one model that all others are compared with, such as `mlp` or `mlp lr=0.1`;
    none: every two. Fewer comparisons are corrected for fewer. Cells of other training sets,
    scores or holds are not held against each other, nor those that differ in the protocol alone,
    such as their budget. Raises UnknownNameError when no cell is of the model, ConfigurationError
    when several are that could be compared with the same one.
    """
    pairs = _pairs(cells) if against is None else _pairs_against(cells, against)
    compared = [_compare(*pair) for pair in pairs]
    adjusted = holm([comparison.log_rank for _, comparison in compared])
    names = dict(zip(map(id, cells), model_names(cells), strict=True))
    return [
        ModelComparison(
            _condition(first, cells), names[id(first)], names[id(second)], paired, comparison, p,
            (first, second),
        )
        for (first, second), (paired, comparison), p in zip(pairs, compared, adjusted, strict=True)
    ]  # fmt: skip


def _pairs(cells: Sequence[MeasuredCell]) -> list[Pair]:
    return [(a, b) for a, b in combinations(cells, 2) if _are_comparable(a, b)]


def _pairs_against(cells: Sequence[MeasuredCell], reference: str) -> list[Pair]:
    baselines: dict[tuple[object, ...], list[MeasuredCell]] = {}
    for cell in baseline_cells(cells, reference):
        baselines.setdefault(_conditions(cell), []).append(cell)
    for group in baselines.values():
        if len({_model(each) for each in group}) > 1:
            labels = " or ".join(dict.fromkeys(model_names(group)))
            raise ConfigurationError(
                f'"{reference}" may be {labels}; write enough fields to choose one'
            )
    return [
        # The one that was watched longest says most, whatever the other's budget.
        (cell, max(found, key=lambda each: (each.budget, each.record.summary.replicas)))
        for cell in cells
        if (found := baselines.get(_conditions(cell))) and _model(cell) != _model(found[0])
    ]


def _are_comparable(one: MeasuredCell, other: MeasuredCell) -> bool:
    """Other models on the same task, trained and measured so that their times compare."""
    return _conditions(one) == _conditions(other) and _model(one) != _model(other)


def _conditions(cell: MeasuredCell) -> tuple[object, ...]:
    record = cell.record
    own = (record.protocol.get(name) for name in CONDITIONS)
    return (record.task, record.summary.score, *own)


def _model(cell: MeasuredCell) -> str:
    """Identity of what was trained: the model, its recipe and what the cell stands on."""
    plan = cell.record.plan
    return content_hash({name: plan[name] for name in ("model", *SOURCES) if name in plan})


def _condition(cell: MeasuredCell, cells: Sequence[MeasuredCell]) -> str:
    """The task, and what of the protocol differs between the cells that are compared."""
    own = cell.record.protocol
    told = [
        f"{name}={'none' if own.get(name) is None else own[name]}"
        for name in CONDITIONS
        if len({each.record.protocol.get(name) for each in cells}) > 1
    ]
    return ", ".join([cell.record.task, *told])


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
