"""What a ceiling scores that is fitted on training sets, or the best of what is known."""

from __future__ import annotations

from typing import NamedTuple

import torch

from synthbench.engine.data.sampling import draw_worlds
from synthbench.engine.data.training_data import train_sets
from synthbench.engine.training.held_out_batches import HeldOutBatches
from synthbench.engine.training.references import reference_scores
from synthbench.plan.protocol import Protocol
from synthbench.plan.task_facts import fits_references
from synthbench.streams import keys_of
from synthbench.testing.law import NotApplicable
from synthbench.testing.tasks.trial import TaskTrial

WORLDS = range(2)


class Gap(NamedTuple):
    """Mean ranked scores of the two ends of progress."""

    trivial: float
    ceiling: float


def fitted_gap(trial: TaskTrial) -> Gap | NotApplicable:
    """Both ends of progress on the first test set, in two worlds."""
    if fits_references(trial.subject) and not trial.has_train_set:
        return NotApplicable("its ceiling is fitted on the training set of a protocol")
    return trial.keep("fitted gap", lambda: _measured(trial))


def _measured(trial: TaskTrial) -> Gap:
    task, keys = trial.subject, keys_of(list(WORLDS))
    worlds = draw_worlds(task, keys)
    training = train_sets(task, worlds) if trial.has_train_set else None
    first = HeldOutBatches(trial.sets[0], Protocol(), worlds, keys, torch.float32)
    scores = reference_scores([first], worlds, training)
    ranked = next(iter(scores["trivial"]))
    ends = (float(scores[name][ranked].mean()) for name in ("trivial", task.ceiling))
    return Gap(*ends)
