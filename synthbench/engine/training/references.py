"""What known strategies score on the test sets of every replica."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from synthbench.contracts.batch import Batch, World
from synthbench.contracts.task import Task
from synthbench.engine.axis.over_replicas import over_replicas
from synthbench.engine.data.held_out import HeldOut
from synthbench.engine.data.sampling import as_batch
from synthbench.engine.training.fitting import Predictor, fitted_predictors
from synthbench.engine.training.held_out_batches import HeldOutBatches
from synthbench.engine.training.score_totals import Parts, ScoreTotals, aggregated, score_parts
from synthbench.errors import TaskError
from synthbench.metrics.ceiling import BEST_KNOWN
from synthbench.metrics.score_names import scored_on

Columns = dict[str, NDArray[np.float64]]
"""Column -> (R,) numbers, or (R, T) of a curve."""


def reference_scores(
    sets: Sequence[HeldOutBatches], worlds: World, training: Batch | None
) -> dict[str, Columns]:
    """Reference -> column -> (R, ...), on all test sets.

    worlds: of the R replicas. training: their finite training set, leaves (R, m, ...), if there is
    one, on which `fitted_references` are fitted.
    """
    by_task = [batches.by_task() for batches in sets]
    found = []
    for place, (run, _) in enumerate(by_task[0]):
        own = [parts[place][1] for parts in by_task]
        samples = None if training is None else as_batch(run.of(training))
        found.append(_scores_of_task(run.task, own, run.of(worlds), samples))
    return {
        name: {c: np.concatenate([each[name][c] for each in found]) for c in columns}
        for name, columns in found[0].items()
    }


def _scores_of_task(
    task: Task, sets: Sequence[HeldOutBatches], worlds: World, training: Batch | None
) -> dict[str, Columns]:
    """The same where all replicas are of one task."""
    scored: dict[str, Columns] = {}
    predictors = fitted_predictors(task, training)
    for batches in sets:
        score = over_replicas(partial(_score_strategies, batches.held_out))
        _add(scored, task, batches, lambda batch: score(worlds, batch))  # noqa: B023
        for name, own in predictors.items():
            _add(scored, task, batches, lambda batch: {name: _predicted(task, own, batch)})  # noqa: B023
    if task.ceiling == BEST_KNOWN:
        scored[BEST_KNOWN] = _best(list(scored.values()), task.higher_is_better)
    if task.ceiling not in scored:
        raise TaskError(
            f'task "{task.label()}" has no reference called "{task.ceiling}", its ceiling '
            f"(references: {', '.join(scored)})"
        )
    return scored


def _score_strategies(held_out: HeldOut, world: World, batch: Batch) -> dict[str, Parts]:
    batch, task = as_batch(batch), held_out.task
    outputs = held_out.references(world, batch)
    return {name: score_parts(task.score(output, batch)) for name, output in outputs.items()}


def _add(
    scored: dict[str, Columns],
    task: Task,
    batches: HeldOutBatches,
    parts_of: Callable[[Batch], Mapping[str, Parts]],
) -> None:
    """Score some references on one test set."""
    totals: dict[str, ScoreTotals] = {}
    for batch in batches:
        for reference, parts in parts_of(batch).items():
            totals.setdefault(reference, ScoreTotals()).add(parts, batch.x.shape[1])
    for reference, total in totals.items():
        for name, value in aggregated(task, total.means()).items():
            column = scored_on(name, batches.held_out.name)
            scored.setdefault(reference, {})[column] = numbers(value, f'score "{name}"')


def _predicted(task: Task, predictors: Iterable[Predictor], batch: Batch) -> Parts:
    """Scores of every replica's own predictor on its own examples."""
    pairs = zip(predictors, batch.x, strict=True)
    outputs = torch.stack([predictor(x).to(batch.x.device) for predictor, x in pairs])
    return over_replicas(lambda out, own: score_parts(task.score(out, as_batch(own))))(
        outputs, batch
    )


def _best(scored: Sequence[Columns], higher: bool) -> Columns:
    """The best score of any reference, replica by replica."""
    best = np.maximum if higher else np.minimum
    return {column: best.reduce([each[column] for each in scored]) for column in scored[0]}


def numbers(values: Tensor, what: str) -> NDArray[np.float64]:
    """(R,) or (R, T) as numpy; TaskError for another shape, or complex numbers."""
    return columns_of({"": (values, what)})[""]


def columns_of(found: Mapping[str, tuple[Tensor, str]]) -> Columns:
    """The same of several by name, in one copy from the device; each with what it is."""
    if not found:
        return {}
    wide = [_as_numbers(values, what) for values, what in found.values()]
    flat = [values.reshape(len(values), -1) for values in wide]
    ends = np.cumsum([values.shape[1] for values in flat])
    parts = np.split(torch.cat(flat, dim=1).cpu().numpy(), ends[:-1], axis=1)
    return {
        name: part.reshape(tuple(values.shape))
        for name, values, part in zip(found, wide, parts, strict=True)
    }


def _as_numbers(values: Tensor, what: str) -> Tensor:
    if values.dim() not in (1, 2):
        shape = tuple(values.shape[1:])
        raise TaskError(f"{what} must be a number or a curve (T,), got shape {shape}")
    if values.is_complex():
        raise TaskError(f"{what} is complex; give its parts a name each")
    return values.detach().double()
