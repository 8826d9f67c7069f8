"""What needs no training, for scale: simple strategies, the optimum, classical algorithms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from synthbench.contracts.task import KnownAlgorithm
from synthbench.leaderboard.standings.entry import MeasuredSubmission
from synthbench.plan.suite import Suite
from synthbench.registry.registry import installed


@dataclass(frozen=True)
class ReferenceRow:
    """One cell's references.

    scores: ranked score of each strategy, from "trivial" to "optimal": the mean over the
    replicas' held-out samples, or the exact one while there is no submission. algorithms:
    learners that are not trained by gradients, by name.
    """

    number: int
    task: str
    scores: Mapping[str, float]
    algorithms: Mapping[str, KnownAlgorithm]


def reference_rows(suite: Suite, measured: MeasuredSubmission | None) -> tuple[ReferenceRow, ...]:
    """One row for each cell of the suite; measured: whose records say what strategies score."""
    rows = []
    for index, cell in enumerate(suite.cells):
        task = installed().task(cell.task)
        scores = measured.cells[index].references if measured else task.exact_scores()
        rows.append(ReferenceRow(index + 1, task.label(), scores, task.known_algorithms()))
    return tuple(rows)
