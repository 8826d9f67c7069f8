"""Laws of what a task says about itself."""

from __future__ import annotations

import math
import time

import torch

from synthbench.engine.data.sampling import draw_worlds
from synthbench.engine.data.training_data import FreshData
from synthbench.metrics.formatting import format_count
from synthbench.streams import keys_of
from synthbench.testing.law import Law, NotApplicable, Outcome, law
from synthbench.testing.tasks.trial import TaskTrial

TIMED_REPLICAS = 16
TIMED_SECONDS = 0.02


@law(
    "known-algorithms-have-sources",
    "Every known algorithm needs a positive, finite number of samples and operations, and says "
    "where that comes from.",
    "return KnownAlgorithm(samples, operations, source) from known_algorithms.",
    needs=("runs",),
)
def known_algorithms_have_sources(trial: TaskTrial) -> Outcome:
    """Each algorithm's numbers."""
    for name, algorithm in trial.subject.known_algorithms().items():
        numbers = (algorithm.samples, algorithm.operations)
        if not all(math.isfinite(number) and number > 0 for number in numbers):
            return f"{name} takes {algorithm.samples} samples and {algorithm.operations} operations"
        if not algorithm.source:
            return f"{name} has no source"
    return None


@law(
    "sampling-is-timed",
    "Training batches can be drawn for many replicas at once; how fast is reported, not judged.",
    "see that sample (or sample_at) works for 16 replicas at the batch size of 32.",
    needs=("vmaps",),
)
@torch.no_grad()
def sampling_is_timed(trial: TaskTrial) -> Outcome:
    """Samples per second as training draws them: 16 replicas, batches of 32, 8 steps at once."""
    if trial.has_train_set:
        return NotApplicable("it is trained on a finite set")
    keys = keys_of(list(range(TIMED_REPLICAS)))
    data = FreshData(trial.subject, draw_worlds(trial.subject, keys), keys)
    drawn, started = 0, time.perf_counter()
    while time.perf_counter() - started < TIMED_SECONDS:
        data.batches(range(8), 32)
        drawn += 8 * 32 * TIMED_REPLICAS
    rate = drawn / (time.perf_counter() - started)
    trial.facts["sampling"] = f"{format_count(rate)} samples/s"
    return None


STATEMENT_LAWS: tuple[Law[TaskTrial], ...] = (known_algorithms_have_sources, sampling_is_timed)
