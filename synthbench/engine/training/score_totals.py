"""Adding up scores over the batches of a test set."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from torch import Tensor

from synthbench.contracts.batch import Batch
from synthbench.contracts.scores import Mean, Score, Scores, weighted_sums
from synthbench.contracts.task import Task
from synthbench.engine.axis.over_replicas import over_replicas
from synthbench.engine.axis.state import State
from synthbench.errors import TaskError
from synthbench.plan.task_facts import aggregates

Part = Tensor | tuple[Tensor, Tensor]
"""A mean over a batch, or a weighted sum with the sum of its weights."""
Parts = dict[str, Part]
BatchScores = Callable[[State, State, Batch, Tensor], Mapping[str, Part]]
"""(parameters, buffers, batch, noise), all (R, ...) -> parts of scores by name, the loss last."""


def score_parts(scores: Scores) -> Parts:
    """The scores of one batch of one replica, as tensors that can be added up."""
    return {name: _part(score) for name, score in scores.items()}


def check_means(scores: Scores) -> None:
    """Raise TaskError for a `Mean` whose values and weights differ in shape."""
    for name, score in scores.items():
        if isinstance(score, Mean) and score.values.shape != score.weights.shape:
            shapes = tuple(score.values.shape), tuple(score.weights.shape)
            raise TaskError(
                f'score "{name}" is a Mean of values {shapes[0]} with weights {shapes[1]}; both '
                "need one shape, (N,) or (N, T)"
            )


def _part(score: Score) -> Part:
    if not isinstance(score, Mean):
        return score
    return weighted_sums(score)


class ScoreTotals:
    """Scores of R replicas over all batches so far; batches may differ in size."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._sums: dict[str, Any] = {}
        self._weights: dict[str, Any] = {}
        self._count = 0

    def add(self, parts: Mapping[str, Part], size: int) -> None:
        """Take in one batch of `size` examples; parts: leaves (R, ...)."""
        self._count += size
        for name, part in parts.items():
            total = self._sums.get(name, 0)
            if isinstance(part, Tensor):
                self._sums[name] = total + size * part.double()
            else:
                self._sums[name] = total + part[0]
                self._weights[name] = self._weights.get(name, 0) + part[1]

    @property
    def plain(self) -> list[str]:
        """Names of the numbers that are no weighted means."""
        sums = self._sums.items()
        return [name for name, total in sums if name not in self._weights and total.dim() == 1]

    def means(self) -> dict[str, Tensor]:
        """Every score (R, ...) over all examples; NaN where no weight was given."""
        return {
            name: total / self._weights.get(name, self._count) for name, total in self._sums.items()
        }


def total_scores(
    scores: BatchScores, state: tuple[State, State], batches: Iterable[Batch], noise: Tensor
) -> ScoreTotals:
    """Scores over all batches; state: parameters and buffers (R, ...)."""
    totals = ScoreTotals()
    for batch in batches:
        totals.add(scores(*state, batch, noise), batch.x.shape[1])
    return totals


def aggregated(task: Task, means: dict[str, Tensor]) -> dict[str, Tensor]:
    """What the task reports of the scores of a whole test set: (R, ...) each."""
    if not aggregates(task):
        return means
    return over_replicas(lambda scores: dict(task.aggregate(scores)))(means)
