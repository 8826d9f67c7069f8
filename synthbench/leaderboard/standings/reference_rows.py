"""What needs no training, for scale: simple strategies, the optimum, classical algorithms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from synthbench.contracts.task import KnownAlgorithm, Task
from synthbench.leaderboard.standings.entry import MeasuredSubmission
from synthbench.metrics.ceiling import OPTIMAL, ceiling_notes
from synthbench.metrics.score_names import base_name, set_name
from synthbench.plan.suite import Suite
from synthbench.registry.registry import installed


@dataclass(frozen=True)
class ReferenceRow:
    """One cell's references.

    scores: ranked score of each strategy, from "trivial" to the ceiling: the mean over the
    replicas' held-out samples, or the exact one while there is no submission. algorithms:
    learners that are not trained by gradients, by name. ceiling: where progress is 1.
    """

    number: int
    task: str
    scores: Mapping[str, float]
    algorithms: Mapping[str, KnownAlgorithm]
    ceiling: str = OPTIMAL

    def score_texts(self) -> dict[str, str]:
        """Each strategy's score as it is read, with three digits: `-4.29e-11` is 0."""
        return {name: f"{round(score, 6) + 0.0:.3g}" for name, score in self.scores.items()}

    def note(self) -> str:
        """What progress is relative to, where that is not the optimum; else empty."""
        return "; ".join(ceiling_notes([self.ceiling]))


def reference_rows(suite: Suite, measured: MeasuredSubmission | None) -> tuple[ReferenceRow, ...]:
    """One row for each cell of the suite; measured: whose records say what strategies score."""
    rows = []
    for index, cell in enumerate(suite.cells):
        task = installed().task(cell.task)
        scores = measured.cells[index].references if measured else _exact(task, cell.score)
        algorithms = task.known_algorithms()
        rows.append(ReferenceRow(index + 1, task.label(), scores, algorithms, task.ceiling))
    return tuple(rows)


def _exact(task: Task, score: str | None) -> dict[str, float]:
    """The exact scores on the test set of the ranked score, by reference."""
    wanted = set_name(score or "")
    found = task.exact_scores().items()
    return {base_name(name): value for name, value in found if set_name(name) == wanted}
