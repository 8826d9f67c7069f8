"""Fitting a task's references, once for each training set: cells of other models have the same."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TypeAlias

from torch import Tensor
from torch.utils._pytree import tree_leaves

from synthbench.contracts.batch import Batch
from synthbench.contracts.task import Task
from synthbench.engine.data.sampling import batch_at
from synthbench.errors import TaskError
from synthbench.hashing import tensor_hash
from synthbench.plan.task_facts import fits_references

Predictor: TypeAlias = Callable[[Tensor], Tensor]
"""From inputs (N, ...) to outputs (N, ...)."""
KEPT = 256
"""Training sets whose predictors are kept: those of a cell, or of a few."""
_kept: OrderedDict[tuple[type[Task], str, str], Mapping[str, Predictor]] = OrderedDict()


def fitted_predictors(task: Task, training: Batch | None) -> dict[str, list[Predictor]]:
    """Name -> the predictor of every replica; nothing where the task fits none.

    training: leaves (R, m, ...). Raises TaskError where there is no finite training set.
    """
    if not fits_references(task):
        return {}
    if training is None:
        raise TaskError(
            f'task "{task.label()}" fits references, which takes a finite training set; give the '
            "task a train_set, or the protocol train_samples"
        )
    fitted: dict[str, list[Predictor]] = {}
    for r in range(training.x.shape[0]):
        for name, predictor in _fitted(task, batch_at(training, r)).items():
            fitted.setdefault(name, []).append(predictor)
    return fitted


def _fitted(task: Task, train: Batch) -> Mapping[str, Predictor]:
    """Of one replica; of the task's fields and these rows they are a function."""
    rows = tensor_hash([leaf.detach().cpu() for leaf in tree_leaves(train)])
    key = (type(task), task.label(), rows)
    if key not in _kept:
        _kept[key] = task.fitted_references(train)
    _kept.move_to_end(key)
    while len(_kept) > KEPT:
        _kept.popitem(last=False)
    return _kept[key]
