"""The law that a sampler draws from one distribution, whatever it draws for."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from synthbench.contracts.batch import Batch, World
from synthbench.contracts.task import Task
from synthbench.engine.axis.over_replicas import over_replicas
from synthbench.engine.data.sampling import as_batch, draw_worlds
from synthbench.plan.task_facts import has_curriculum
from synthbench.streams import Purpose, Stream, keys_of
from synthbench.testing.law import Law, NotApplicable, Outcome, law
from synthbench.testing.tasks.everything_drawn import words
from synthbench.testing.tasks.sample_laws import LEAST_Z, ROWS_ALONE
from synthbench.testing.tasks.trial import TaskTrial

REPLICAS, EXAMPLES = range(256), 16
MOST_NUMBERS = 128
"""Coordinates of x and of y that are looked at."""
COUNTERS = ((Purpose.TRAIN, 0), (Purpose.TRAIN, 1), (Purpose.TRAIN, 1000), (Purpose.EVAL, 0))
LATER = 1000
"""A step at which a curriculum is looked at, too."""
Sampler = Callable[[World, Stream, int], Batch]


@law(
    "sample-ignores-purpose",
    "A sampler draws from one distribution, whatever the purpose and the step of its rng.",
    "draw from rng without asking what it is for: another test distribution belongs in "
    "test_sets, a curriculum in sample_at, which is given the step.",
    needs=("examples-are-independent", "vmapped-equals-looped", "scores-in-range"),
)
def sample_ignores_purpose(trial: TaskTrial) -> Outcome:
    """Means by coordinate, and scores of the references, in many replicas.

    Replica by replica, because worlds differ more than samples of one world do.
    """
    samplers = list(_samplers(trial))
    if not samplers:
        return NotApplicable(ROWS_ALONE)
    keys = keys_of(list(REPLICAS))
    worlds = draw_worlds(trial.subject, keys)
    for name, sampler in samplers:
        found = [_drawn(trial, sampler, worlds, keys, at) for at in COUNTERS]
        for (purpose, step), seen in zip(COUNTERS[1:], found[1:], strict=True):
            what = _differs(found[0], seen)
            if what:
                return f"{name} gives another {what} for {purpose.name.lower()} at step {step}"
    return None


def _samplers(trial: TaskTrial) -> Iterator[tuple[str, Sampler]]:
    """What draws examples: for training, at two steps of a curriculum, and of test sets."""
    task = trial.subject
    if not trial.has_train_set:
        yield "sample", lambda w, rng, size: task.sample_at(w, rng, size, _step(rng, 0))
        if has_curriculum(task):
            yield (
                f"sample_at, for step {LATER},",
                lambda w, rng, size: task.sample_at(w, rng, size, _step(rng, LATER)),
            )
    if type(task).test_sets is not Task.test_sets or has_curriculum(task):
        for held_out in trial.sets:
            if not held_out.is_whole:
                yield words(held_out), held_out.sample


def _step(rng: Stream, step: int) -> Tensor:
    return torch.tensor(step, device=rng.device)


def _drawn(
    trial: TaskTrial, sampler: Sampler, worlds: World, keys: Tensor, at: tuple[Purpose, int]
) -> dict[str, Tensor]:
    """What a sampler's batches look like: statistics (R, ...)."""
    purpose, step = at

    def one(world: World, key: Tensor) -> dict[str, Tensor]:
        batch = sampler(world, Stream(key, purpose, step), EXAMPLES)
        # Integers have no mean.
        x, y = (_numbers(part) for part in (batch.x, batch.y))
        return {
            "mean of x": x.mean(0),
            "mean of y": y.mean(0),
            "spread of x": x.square().mean(0),
            "spread of y": y.square().mean(0),
            "mean of x times y": (x * (y if x.shape == y.shape else y[:, :1])).mean(0),
            **_scores(trial, world, batch),
        }

    return over_replicas(one)(worlds, keys)


def _numbers(part: Tensor) -> Tensor:
    """The first coordinates of (B, ...), float64; what is not asked for counts as 0."""
    return part.reshape(part.shape[0], -1)[:, :MOST_NUMBERS].double().nan_to_num()


def _scores(trial: TaskTrial, world: World, batch: Batch) -> dict[str, Tensor]:
    """The scores of the references that are plain numbers."""
    outputs = trial.sets[0].references(world, as_batch(tuple(batch)))
    scored = {name: trial.subject.score(output, batch) for name, output in outputs.items()}
    return {
        f"{name} of {reference}": score.double()[None]
        for reference, scores in scored.items()
        for name, score in scores.items()
        if isinstance(score, Tensor) and score.dim() == 0
    }


def _differs(first: dict[str, Tensor], second: dict[str, Tensor]) -> str:
    """Which statistic differs beyond chance, replica by replica; or nothing."""
    for name in first:
        change = second[name] - first[name]
        error = change.std(0) / len(REPLICAS) ** 0.5
        if bool((change.mean(0).abs() > LEAST_Z * error + 1e-9).any()):
            return name
    return ""


PURPOSE_LAWS: tuple[Law[TaskTrial], ...] = (sample_ignores_purpose,)
