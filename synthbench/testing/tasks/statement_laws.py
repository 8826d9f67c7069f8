"""Laws of what a task says about itself."""

from __future__ import annotations

import math
import time

import torch

from synthbench.engine.data.sampling import draw_worlds
from synthbench.engine.data.training_data import FreshData
from synthbench.errors import SynthbenchError
from synthbench.metrics.formatting import format_count
from synthbench.registry.kinds import NAME_PATTERN
from synthbench.registry.registry import installed
from synthbench.streams import keys_of
from synthbench.testing.law import Law, NotApplicable, Outcome, law
from synthbench.testing.tasks.trial import TaskTrial
from synthbench.testing.workbench.lone_registry import lone_registry

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


@law(
    "presets-can-be-trained",
    "Every preset is a setting that the task allows, and its baseline can learn it.",
    "write the fields of a Preset as in a reference, 'n=20 k=3', and name a model and probes that "
    "are installed.",
    needs=("config-round-trips",),
)
def presets_can_be_trained(trial: TaskTrial) -> Outcome:
    """Each preset's name, its task, and whether its baseline accepts that and its probes exist."""
    task = type(trial.subject)
    registry = lone_registry(trial.kind, trial.subject)
    for name, preset in task.presets.items():
        if not NAME_PATTERN.fullmatch(name):
            return f"a preset is called {name!r}"
        try:
            found = registry.task(f"{task.name} {name}")
            if preset.model is not None:
                installed().model(preset.model).check_accepts(found.interface)
            for probe in preset.probes:
                installed().probe(probe)
        except SynthbenchError as error:
            return f'preset "{name}": {error}'
    return None


STATEMENT_LAWS: tuple[Law[TaskTrial], ...] = (
    known_algorithms_have_sources,
    presets_can_be_trained,
    sampling_is_timed,
)
