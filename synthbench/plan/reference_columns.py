"""The names of a task's references and scores, found without training anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthbench.contracts.batch import Batch, World
from synthbench.contracts.scores import score_of_batch
from synthbench.contracts.task import Task
from synthbench.contracts.test_set import TestSet
from synthbench.metrics.ceiling import BEST_KNOWN
from synthbench.metrics.score_names import scored_on
from synthbench.plan.task_facts import fits_references

if TYPE_CHECKING:
    pass

EXAMPLES = 2
"""Examples of each test set that are looked at."""


def reference_columns(task: Task, train_samples: int | None = None) -> dict[str, list[str]]:
    """The references of a task in their order, and the columns of each, the first one first.

    train_samples: the protocol's, for references that are fitted.
    """
    from synthbench.streams import Purpose, Stream

    world = task.world(Stream.from_seed(0, Purpose.WORLD))
    fitted = {}
    if fits_references(task):
        fitted = dict(task.fitted_references(_training_set(task, world, train_samples)))
    found: dict[str, list[str]] = {}
    for place, (name, test_set) in enumerate(task.test_sets().items()):
        batch = _examples(test_set, world)
        outputs = dict((test_set.references or task.references)(world, batch))
        outputs |= {fit: predict(batch.x) for fit, predict in fitted.items()}
        for reference, output in outputs.items():
            means = {
                score: score_of_batch(value) for score, value in task.score(output, batch).items()
            }
            columns = [scored_on(score, name if place else "") for score in task.aggregate(means)]
            found.setdefault(reference, []).extend(columns)
    if task.ceiling == BEST_KNOWN:
        found[BEST_KNOWN] = found["trivial"]
    return found


def _training_set(task: Task, world: World, train_samples: int | None) -> Batch:
    """What the references of the first replica are fitted on."""
    from synthbench.streams import Purpose, Stream

    own = task.train_set(world)
    if own is None:
        return task.sample(world, Stream.from_seed(0, Purpose.TRAIN), train_samples or EXAMPLES)
    return own if train_samples is None else _first(own, train_samples)


def _examples(test_set: TestSet, world: World) -> Batch:
    from synthbench.streams import Purpose, Stream

    if test_set.sample is not None:
        return test_set.sample(world, Stream.from_seed(0, Purpose.EVAL), EXAMPLES)
    assert test_set.whole is not None
    return _first(test_set.whole(world), EXAMPLES)


def _first(rows: Batch, count: int) -> Batch:
    latents = {name: leaf[:count] for name, leaf in rows.latents.items()}
    return Batch(rows.x[:count], rows.y[:count], latents)
